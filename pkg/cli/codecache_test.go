package cli

import (
	"context"
	"log/slog"
	"testing"
)

// A cut during the first image must neither wait for the translation nor make later images go without.
func TestTranslationThatIsCancelledIsAskedForAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr := translator{cache: "unused", log: slog.New(slog.DiscardHandler)}
	if got := tr.translated(ctx, av1Encoder|webpEncoder); got != 0 || tr.asked != 0 {
		t.Errorf("ready %b, asked %b, want neither", got, tr.asked)
	}
}

func TestOnlyWhatIsInTheCacheIsLoaded(t *testing.T) {
	tr := translator{
		cache: "unused", log: slog.New(slog.DiscardHandler),
		asked: av1Encoder | webpEncoder, ready: webpEncoder, // a libheif is installed
	}
	if got := tr.translated(t.Context(), av1Encoder|webpEncoder); got != webpEncoder {
		t.Errorf("ready %b, want %b", got, webpEncoder)
	}
	tr.cache = ""
	if got := tr.translated(t.Context(), webpEncoder); got != 0 {
		t.Errorf("without a cache: %b", got)
	}
}
