package wire_test

import (
	"fmt"
	"log"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// A task in its bare form is an array of a filename and the image's bytes: the least that a ventilator in another
// language has to send.
func ExampleDecodeTask() {
	message := []byte("\x92\xa5a.jpg\xc4\x03\xff\xd8\xff")
	task, err := wire.DecodeTask(message)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d bytes, id %q\n", task.Filename, len(task.Data), task.ID)

	full := wire.Task{Filename: "a.jpg", Data: task.Data, TaskInfo: wire.TaskInfo{ID: "7f", Delivery: 1}}
	fmt.Printf("%q\n", full.Encode())
	// Output:
	// a.jpg: 3 bytes, id ""
	// "\x93\xa5a.jpg\xc4\x03\xff\xd8\xff\x82\xa2id\xa27f\xa8delivery\x01"
}

// A sink takes results, heartbeats and bare output names at one endpoint, and tells them apart.
func ExampleDecodeFromWorker() {
	result := wire.Result{ID: "7f", Filename: "a.jpg", Outcome: outcome.Rejected}
	result.Reason, result.Detail = outcome.Truncated, "the file ends in the middle of a scan"
	heartbeat := wire.Heartbeat{Worker: "w1", Slots: 2, Busy: 1, Held: []string{"80"}}
	for _, message := range [][]byte{result.Encode(), heartbeat.Encode(), []byte("a_thumbnail64.jpg")} {
		m, err := wire.DecodeFromWorker(message)
		switch {
		case err != nil:
			log.Fatal(err)
		case m.Result != nil:
			fmt.Println(m.Result.Filename, m.Result.Outcome, m.Result.Reason)
		case m.Heartbeat != nil:
			fmt.Println(m.Heartbeat.Worker, "holds", m.Heartbeat.Held)
		default:
			fmt.Println("an output:", m.BareName)
		}
	}
	// Output:
	// a.jpg rejected truncated
	// w1 holds [80]
	// an output: a_thumbnail64.jpg
}
