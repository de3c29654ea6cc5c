// Command profile writes an ICC profile to its output: go run ./bench/profile p3|adobe|srgb > FILE.
package main

import (
	"log"
	"os"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
)

func main() {
	log.SetFlags(0)
	profiles := map[string][]byte{
		"p3": icc.DisplayP3.Profile(), "adobe": icc.AdobeRGB(), "srgb": icc.SRGB.Profile(),
	}
	if len(os.Args) != 2 || profiles[os.Args[1]] == nil {
		log.Fatal("name a profile: p3, adobe or srgb")
	}
	if _, err := os.Stdout.Write(profiles[os.Args[1]]); err != nil {
		log.Fatal(err)
	}
}
