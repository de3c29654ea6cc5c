// Package isolate runs an engine in child processes that can be killed. An image that hangs, eats memory or crashes its
// decoder then harms no other image.
//
// The program executes itself: [Main], called first in main, turns a process that was started as a child into one. Each
// slot has one child. The parent's [Engine] is an engine.Engine like any other:
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
// # Messages and memory
//
// A task is one small message each way over two pipes; protocol.go draws the messages. The image lies in memory that
// the parent writes and all children can only read. The outputs lie in memory that one child shares with the parent.
// Both have a fixed size that nobody can change, and take up no more than was written. So a transform costs one copy of
// the image, none if the image was received into an [Engine.Buffer], and two copies of the outputs. On a system without
// such memory the bytes follow the messages through the pipes.
//
// # Turns
//
// A child may have two tasks: while it works on one, the next is queued in it. The child then goes on at once. Without
// the queue a processor idles while the parent reads an answer and writes the next request, which costs a tenth of the
// time of a photo's thumbnail. Requests and answers keep their order. Limits and measurements apply to the first task
// alone, and the outputs of two consecutive tasks lie in two halves of the child's memory. If the child ends, the first
// task is blamed and the second goes to another child. A task is queued only when every child is busy.
//
// # Libraries
//
// The sandbox lets a child load libraries only before its first image. Some take longer to load than a photo's
// thumbnail takes to make, and few images need them. [Config.Libraries] says which an image needs. A child loads
// those that any image has needed so far. If an image needs others, an idle child is replaced by one that has them.
//
// # Who is to blame
//
//	what happened to the child                        what becomes of the image
//	its transform used up TaskTimeout                 rejected: timeout
//	it was starved of processor time for very long    an error of the farm: deliver the task again
//	it outgrew TaskMemory                             rejected: out-of-memory *
//	panic, fault, exit, invalid message               rejected: crashed *
//	killed from outside, twice                        rejected: crashed (out-of-memory when it was large)
//	killed because the caller's context ended         the context's cause
//	it could not be started                           an error of the farm
//	it ended during the previous task                 nothing: the task goes to another child
//
// * In a child that has worked on other images, the first death proves nothing: one of those may have damaged the
// child. The image is tried once more, in a fresh child. So is an image whose child was killed from outside.
//
// # Time
//
// TaskTimeout bounds what a transform uses, so that no image is rejected because the machine is busy. What counts is
// processor time, and time in which every thread of the child sleeps: the transform hangs. Time in which a thread waits
// for a processor or a disk, or is stopped, does not count. A child that has not used up TaskTimeout in ten times that
// long is ended as starved. Outside Linux the system tells nothing about a running child: all time counts in which the
// parent itself could run.
//
// # Memory limits
//
// TaskMemory bounds a child's private memory in three ways. The child's garbage collector works against a soft limit a
// little below it. The parent looks at busy children every 50 ms and kills one that is beyond it. Between two looks the
// kernel refuses a child private memory beyond about 1.25 × TaskMemory (RLIMIT_DATA, which counts memory that may be
// written, resident or not). A child that asks for gigabytes therefore dies before it touches a page. Children also ask
// the kernel's out-of-memory killer to choose them before their parent. Outside Linux the child watches itself, every
// 10 ms.
//
// # Sandbox
//
// A malicious image may take control of its decoder. On Linux a child therefore decodes in a sandbox of several layers,
// each of which the kernel keeps up ([Layer]). The thread that starts the children applies the first layers to them: no
// new privileges, no capabilities, a network namespace without interfaces, and Landlock, which lets them read system
// libraries and nothing else. The child itself adds the others when its engine is open and before it sees an image. It
// closes inherited descriptors and those of the shared memory, gives up the right to open any, and lets no process
// trace it. Last comes a seccomp filter for all of its threads. The filter allows what the Go runtime and C libraries
// need for memory, threads, time and open pipes. The kernel refuses every other call with an error, so the child goes
// on.
//
// An attacker who controls a child can still waste its time and memory, which have limits. The attacker can also
// falsify the outputs of the images that the child is given: the parent checks their sizes and names, not their
// pictures. A layer that the machine lacks is left out; [Engine.Sandbox] and the log say which. Other systems have no
// sandbox.
//
// Children inherit only the environment variables of the Go runtime, the loader and the locale.
package isolate
