package zsock_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// A ventilator pushes tasks, a worker pulls them. Whoever binds and who dials does not matter to the pattern.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	network := zsock.Network{Inproc: zsock.NewInproc()} // one for the whole process

	push, err := zsock.NewPush(zsock.Config{Network: network})
	if err != nil {
		log.Fatal(err)
	}
	defer push.Close(ctx)
	if _, err := push.Listen("inproc://tasks"); err != nil { // or tcp://*:5557, or ipc:///run/tasks
		log.Fatal(err)
	}
	pull, err := zsock.NewPull(zsock.Config{Network: network})
	if err != nil {
		log.Fatal(err)
	}
	defer pull.Close(ctx)
	if err := pull.Dial("inproc://tasks"); err != nil {
		log.Fatal(err)
	}

	if err := push.Send(ctx, zsock.Message{[]byte("a.jpg"), []byte("…")}); err != nil {
		log.Fatal(err)
	}
	task, err := pull.Recv(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d frames, the first is %s\n", len(task), task[0])
	// Output: 2 frames, the first is a.jpg
}

// A PUB sends each message to the subscribers of a prefix of its first frame.
func ExamplePub() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	network := zsock.Network{Inproc: zsock.NewInproc()}

	subscribed := make(chan struct{}, 1)
	pub, err := zsock.NewPub(zsock.Config{Network: network})
	if err != nil {
		log.Fatal(err)
	}
	defer pub.Close(ctx)
	if _, err := pub.Listen("inproc://events"); err != nil {
		log.Fatal(err)
	}
	sub, err := zsock.NewSub(zsock.Config{Network: network, OnPeer: func(e zsock.PeerEvent) {
		if e.Kind == zsock.PeerUp {
			subscribed <- struct{}{}
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer sub.Close(ctx)
	if err := sub.Subscribe("task."); err != nil {
		log.Fatal(err)
	}
	if err := sub.Dial("inproc://events"); err != nil {
		log.Fatal(err)
	}
	<-subscribed

	// The subscription may still be on its way: publish until one message came.
	got := make(chan zsock.Message, 1)
	go func() {
		m, err := sub.Recv(ctx)
		if err != nil {
			log.Fatal(err)
		}
		got <- m
	}()
	for {
		for _, topic := range []string{"worker.seen", "task.done"} {
			if err := pub.Publish(zsock.Message{[]byte(topic), []byte("…")}); err != nil {
				log.Fatal(err)
			}
		}
		select {
		case m := <-got:
			fmt.Println(string(m[0]))
			return
		case <-time.After(time.Millisecond):
		}
	}
	// Output: task.done
}

// A REQ asks, a REP answers.
func ExampleRep_Serve() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	network := zsock.Network{Inproc: zsock.NewInproc()}

	rep, err := zsock.NewRep(zsock.Config{Network: network})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := rep.Listen("inproc://control"); err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- rep.Serve(ctx, func(_ context.Context, request zsock.Message) zsock.Message {
			return zsock.Message{append([]byte("you said "), request[0]...)}
		})
	}()
	req, err := zsock.NewReq(zsock.Config{Network: network})
	if err != nil {
		log.Fatal(err)
	}
	if err := req.Dial("inproc://control"); err != nil {
		log.Fatal(err)
	}
	answer, err := req.Do(ctx, zsock.Message{[]byte("hello")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(answer[0]))
	req.Close(ctx)
	cancel()
	<-served
	rep.Close(ctx)
	// Output: you said hello
}
