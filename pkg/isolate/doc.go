// Package isolate runs an engine in child processes that can be killed, so that an image that hangs, eats memory or
// crashes its decoder costs that image and nothing else.
//
// The program executes itself: [Main], called first thing in main, turns a process that was started as a child into
// one. There is one child for each slot. The parent's [Engine] is an engine.Engine like any other:
//
//	func main() {
//		if isolate.Main(openEngine) {
//			return
//		}
//		e, err := isolate.New(isolate.Config{Engine: "imaging", Settings: settings})
//		go e.Run(ctx)
//		result, err := e.Transform(ctx, data, recipe)
//	}
//
// # What crosses
//
// Small messages over two pipes (protocol.go draws them), one each way for a task. The image lies in memory that
// the parent writes and all children can only read; the outputs in memory that one child shares with the parent.
// Both are made once, with a fixed size that no one can change afterwards, and take up no more than what was written.
// So a transform costs one copy of the image, none if it already lies in an [Engine.Buffer], and two of the outputs. Where
// the system has no such memory the bytes follow the messages through the pipes.
//
// # Turns
//
// A child may have two tasks: while it is at one, the next waits in it, so that it goes on at once. Without that a processor
// idles, or changes its work twice, while the parent takes an answer out and puts a request in, which costs a tenth of a
// thumbnail of a photograph. Requests and answers go in the same order; deadline and measurements are of the first; the
// outputs of two tasks that follow one another lie in two halves of the child's memory. If the child ends, that is the
// first's doing, and the next goes to another child, unharmed. Only when every child is at work does a task wait in one.
//
// # Who is to blame
//
//	what happened to the child                        what becomes of the image
//	its transform outlived TaskTimeout                rejected: timeout
//	it outgrew TaskMemory                             rejected: out-of-memory *
//	panic, fault, exit, nonsense on the pipe          rejected: crashed *
//	killed from outside, twice                        rejected: crashed (out-of-memory when it was large)
//	killed because the caller's context ended         the context's cause
//	could not be started                              an error that is the farm's
//	ended at the task before                          nothing: it goes to another child
//
// * In a child that had worked on other images before, the first death proves nothing: they may have left it broken.
// The image gets a second chance in a fresh child, once. So does one whose child was killed from outside.
//
// # Memory
//
// TaskMemory bounds a child's private memory in three ways. The child's collector works against a soft limit a little
// below it. The parent looks at busy children every 50 ms and kills the one beyond it. And between two looks there is
// a wall: the kernel refuses a child private memory beyond about 1.25 × TaskMemory (RLIMIT_DATA, which counts what
// may be written, not what is reserved), so one that asks for gigabytes dies of the asking, with no page touched.
// Children also volunteer to the kernel's out-of-memory killer before their parent. Outside Linux the child watches
// itself, every 10 ms.
//
// # What it is not
//
// A child runs as the same user as its parent. The parent trusts nothing that a child says, and a stray write in a
// child reaches neither the inputs nor its neighbours, but code of an attacker that runs in a child can do what this
// user can do. Children get no environment variable but those of the Go runtime, the loader and the locale.
package isolate
