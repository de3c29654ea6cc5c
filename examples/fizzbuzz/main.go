// Command fizzbuzz is a publisher that does not wait, and subscribers that join whenever they like (PUB/SUB).
//
//	go run ./examples/fizzbuzz count          # publishes numbers, with or without subscribers
//	go run ./examples/fizzbuzz fizz           # joins late, says Fizz at multiples of 3
//	go run ./examples/fizzbuzz buzz           # says Buzz at multiples of 5
//
// An event is two frames: the topic "number", and the number in decimal. A subscriber that joins late is in step from
// the first number it hears, because each number says where the count is: state travels with the event, not before it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"time"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

const topic = "number"

func main() {
	log.SetFlags(0)
	endpoint := flag.String("endpoint", "tcp://127.0.0.1:5561", "where the publisher listens")
	every := flag.Duration("every", 200*time.Millisecond, "how fast it counts")
	last := flag.Int("last", 0, "count or listen up to this number; 0: for ever")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch flag.Arg(0) {
	case "count":
		err = count(ctx, *endpoint, *every, *last)
	case "fizz":
		err = listen(ctx, *endpoint, "Fizz", 3, *last)
	case "buzz":
		err = listen(ctx, *endpoint, "Buzz", 5, *last)
	default:
		log.Fatal("fizzbuzz count, fizz or buzz")
	}
	if err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

// count publishes one number after another. Publish never blocks: who does not listen, or listens too slowly, misses
// some.
func count(ctx context.Context, endpoint string, every time.Duration, last int) error {
	pub, err := zsock.NewPub(zsock.Config{})
	if err != nil {
		return err
	}
	defer pub.Close(context.WithoutCancel(ctx))
	bound, err := pub.Listen(endpoint)
	if err != nil {
		return err
	}
	fmt.Println("counting on", bound)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for n := 1; last == 0 || n <= last; n++ {
		if err := pub.Publish(zsock.Message{[]byte(topic), []byte(strconv.Itoa(n))}); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// listen says its word at each multiple, from whatever number it joins at.
func listen(ctx context.Context, endpoint, word string, multiple, last int) error {
	sub, err := zsock.NewSub(zsock.Config{})
	if err != nil {
		return err
	}
	defer sub.Close(context.WithoutCancel(ctx))
	if err := sub.Subscribe(topic); err != nil {
		return err
	}
	if err := sub.Dial(endpoint); err != nil {
		return err
	}
	for joined := false; ; {
		event, err := sub.Recv(ctx)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(event[len(event)-1]))
		if err != nil {
			return fmt.Errorf("not a number: %w", err)
		}
		if !joined {
			fmt.Println("joined at", n)
			joined = true
		}
		if n%multiple == 0 {
			fmt.Println(n, word)
		}
		if last > 0 && n >= last {
			return nil
		}
	}
}
