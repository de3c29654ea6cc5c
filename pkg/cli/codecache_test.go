package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/isolate"
)

// newTestTranslator returns a translator with a cache that is not used, which logs to the buffer.
func newTestTranslator(
	t *testing.T, translate func(context.Context, isolate.Libraries) (isolate.Libraries, error),
) (*translator, *strings.Builder) {
	t.Helper()
	var said strings.Builder
	tr := newTranslator(slog.New(slog.DiscardHandler))
	tr.cache, tr.absent, tr.temporary = "unused", nil, nil
	tr.log, tr.translate = slog.New(slog.NewTextHandler(&said, nil)), translate
	t.Cleanup(tr.close)
	return tr, &said
}

func TestOneCodecDoesNotWaitForAnother(t *testing.T) {
	t.Setenv("IMAGEFARM_CODE_CACHE", noCodeCache)
	begun, finish := make(chan struct{}), make(chan struct{})
	tr, _ := newTestTranslator(t, func(_ context.Context, codec isolate.Libraries) (isolate.Libraries, error) {
		if codec == av1Encoder {
			close(begun) // panics if it is translated twice
			<-finish
		}
		return codec, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan isolate.Libraries)
	go func() { first <- tr.awaitCodecs(ctx, av1Encoder) }()
	<-begun
	if got := tr.awaitCodecs(t.Context(), webpEncoder); got != webpEncoder {
		t.Errorf("beside another codec: ready %b, want %b", got, webpEncoder)
	}
	cancel()
	if got := <-first; got != 0 {
		t.Errorf("a cancelled image: ready %b, want none", got)
	}
	close(finish)
	if got := tr.awaitCodecs(t.Context(), av1Encoder|webpEncoder); got != av1Encoder|webpEncoder {
		t.Errorf("after a cancelled image: ready %b, want both", got)
	}
}

func TestOnlyWhatIsInTheCacheIsLoaded(t *testing.T) {
	t.Setenv("IMAGEFARM_CODE_CACHE", noCodeCache)
	calls := 0
	tr, said := newTestTranslator(t, func(context.Context, isolate.Libraries) (isolate.Libraries, error) {
		calls++
		return 0, nil // a library is installed
	})
	for range 2 {
		if got := tr.awaitCodecs(t.Context(), webpEncoder); got != 0 || calls != 1 {
			t.Errorf("ready %b after %d translations, want none after 1", got, calls)
		}
	}
	if said.Len() != 0 {
		t.Errorf("it said %s", said)
	}
}

func TestTranslatorWarnsOnceWithoutACache(t *testing.T) {
	t.Setenv("IMAGEFARM_CODE_CACHE", noCodeCache)
	tr, said := newTestTranslator(t, func(context.Context, isolate.Libraries) (isolate.Libraries, error) {
		return 0, errors.New("it has no cache")
	})
	tr.cache = ""
	if got := tr.awaitCodecs(t.Context(), sandboxed); got != 0 || said.Len() != 0 {
		t.Errorf("switched off: ready %b, said %q", got, said)
	}
	tr.absent = errors.New("the reason")
	if got := tr.awaitCodecs(t.Context(), sandboxed); got != 0 {
		t.Errorf("ready %b, want none", got)
	}
	if strings.Count(said.String(), "level=WARN") != 1 || !strings.Contains(said.String(), "the reason") {
		t.Errorf("want one warning with the reason: %s", said)
	}
}

func TestNoTranslationStartsAfterTheEnd(t *testing.T) {
	t.Setenv("IMAGEFARM_CODE_CACHE", noCodeCache)
	tr, _ := newTestTranslator(t, func(ctx context.Context, codec isolate.Libraries) (isolate.Libraries, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	began := tr.start(av1Encoder)
	tr.close()
	<-began.done
	tr.translate = nil
	if got := tr.awaitCodecs(t.Context(), sandboxed); got != 0 {
		t.Errorf("ready %b, want none", got)
	}
}
