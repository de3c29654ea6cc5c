// Command hello is the smallest conversation over ZeroMQ: a client asks, a server answers (REQ/REP).
//
//	go run ./examples/hello client World     # may be started first: it waits for the server
//	go run ./examples/hello server
//
// Any ZeroMQ program can be either side: a request is one frame of text, a reply is another.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func main() {
	log.SetFlags(0)
	endpoint := flag.String("endpoint", "tcp://127.0.0.1:5560", "where the server listens")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch flag.Arg(0) {
	case "server":
		err = serve(ctx, *endpoint)
	case "client":
		err = ask(ctx, *endpoint, flag.Args()[1:])
	default:
		log.Fatal("hello server, or hello client NAME…")
	}
	if err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

// serve greets everybody who says a name, several clients at once.
func serve(ctx context.Context, endpoint string) error {
	rep, err := zsock.NewRep(zsock.Config{})
	if err != nil {
		return err
	}
	defer rep.Close(context.WithoutCancel(ctx))
	bound, err := rep.Listen(endpoint)
	if err != nil {
		return err
	}
	fmt.Println("listening on", bound)
	return rep.Serve(ctx, func(_ context.Context, request zsock.Message) zsock.Message {
		name := string(request[0])
		fmt.Println("asked by", name)
		return zsock.Message{[]byte("Hello, " + name + "!")}
	})
}

// ask says each name and prints the answer. Do waits for a server that is not there yet.
func ask(ctx context.Context, endpoint string, names []string) error {
	req, err := zsock.NewReq(zsock.Config{})
	if err != nil {
		return err
	}
	defer req.Close(context.WithoutCancel(ctx))
	if err := req.Dial(endpoint); err != nil {
		return err
	}
	for _, name := range names {
		reply, err := req.Do(ctx, zsock.Message{[]byte(name)})
		if err != nil {
			return err
		}
		fmt.Println(strings.TrimSpace(string(reply[0])))
	}
	return nil
}
