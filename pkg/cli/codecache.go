package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/engine/heif"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/isolate"
)

// noCodeCache is the value of wasm.Env by which no machine code is kept.
const noCodeCache = "off"

// openCodeCache returns the user's cache of machine code, or one that the user names. It is empty without an error
// where none is wanted.
func openCodeCache() (wasm.Cache, error) {
	switch named := os.Getenv(wasm.Env); named {
	case noCodeCache:
		return "", nil
	case "":
		// Machine code is kept by the version of its translator.
		if info, ok := debug.ReadBuildInfo(); !ok || len(info.Deps) == 0 {
			return "", errors.New("this build does not say what it is made of")
		}
		dir, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		return openNamedCache(filepath.Join(dir, "imagefarm", "codecs"))
	default:
		return openNamedCache(named)
	}
}

func openNamedCache(dir string) (wasm.Cache, error) {
	cache, err := wasm.OpenCache(dir)
	if err != nil {
		return "", fmt.Errorf("cannot keep the machine code of codecs in %s: %w", dir, err)
	}
	return cache, nil
}

// logCodeCache says why there is no cache: aloud where the user can mend it.
func logCodeCache(log *slog.Logger, err error) {
	level := slog.LevelDebug
	if errors.Is(err, wasm.ErrExposed) || os.Getenv(wasm.Env) != "" {
		level = slog.LevelWarn
	}
	log.Log(context.Background(), level, "codecs are translated again by each process", "error", err)
}

// useCodeCache has this process keep machine code.
func useCodeCache(log *slog.Logger) error {
	cache, err := openCodeCache()
	if err != nil {
		logCodeCache(log, err)
	}
	return os.Setenv(wasm.Env, string(cache))
}

// childrensCodeCache returns the cache for children, and what is to be called when they have ended. Without one of the
// user it is a directory for this process alone. It is empty where there is none.
func childrensCodeCache(log *slog.Logger) (cache wasm.Cache, remove func()) {
	remove = func() {}
	cache, err := openCodeCache()
	if err == nil {
		return cache, remove
	}
	logCodeCache(log, err)
	dir, err := os.MkdirTemp("", "imagefarm-codecs-")
	if err != nil {
		return "", remove
	}
	remove = func() { _ = os.RemoveAll(dir) }
	if cache, err = openNamedCache(dir); err != nil {
		remove()
		return "", func() {}
	}
	return cache, remove
}

// standIns returns the codecs in WebAssembly, among those named, that this process uses because a C library is missing.
func standIns(among isolate.Libraries) map[isolate.Libraries]*wasm.Module {
	list := make(map[isolate.Libraries]*wasm.Module)
	for codec, find := range map[isolate.Libraries]func() *wasm.Module{
		av1Decoder: heif.AV1Decoder, av1Encoder: heif.AV1Encoder, webpEncoder: webp.Encoder,
	} {
		if among&codec == 0 {
			continue
		}
		if m := find(); m != nil {
			list[codec] = m
		}
	}
	return list
}

// translateEnv makes a process add the machine code of codecs to a cache and end. Its value is the codecs' number. The
// farm's own process neither loads libraries to learn which are missing, nor keeps the memory that translating takes.
const translateEnv = "IMAGEFARM_TRANSLATE"

// translateCodecs adds codecs to the cache and prints the number of those that children are to load, if this process
// was started for that.
func translateCodecs() bool {
	asked, err := strconv.ParseUint(os.Getenv(translateEnv), 10, 8)
	if err != nil {
		return false
	}
	var ready isolate.Libraries
	for codec, m := range standIns(isolate.Libraries(asked)) {
		if err := wasm.Cache(os.Getenv(wasm.Env)).Add(m); err != nil {
			fmt.Fprintln(stderr(), err)
			continue
		}
		ready |= codec
	}
	fmt.Fprintln(stdout(), ready)
	return true
}

// translator has codecs in WebAssembly translated once for all children.
type translator struct {
	cache wasm.Cache
	log   *slog.Logger

	mu           sync.Mutex
	asked, ready isolate.Libraries
}

// translated returns which of the codecs that are needed a child is to load from the cache: not those for which a C
// library is installed. When it is first asked for a codec, it waits until that is translated or ctx ends.
func (t *translator) translated(ctx context.Context, need isolate.Libraries) isolate.Libraries {
	if need == 0 || t.cache == "" {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if missing := need &^ t.asked; missing != 0 && ctx.Err() == nil {
		ready, err := t.translate(ctx, missing)
		if ctx.Err() != nil {
			return 0 // the next image asks again
		}
		if err != nil {
			t.log.Warn("codecs are translated again by each process", "error", err)
		}
		t.asked, t.ready = t.asked|missing, t.ready|ready
	}
	return need & t.ready
}

func (t *translator) translate(ctx context.Context, need isolate.Libraries) (ready isolate.Libraries, err error) {
	program, err := os.Executable()
	if err != nil {
		return 0, err
	}
	var says strings.Builder
	child := exec.CommandContext(ctx, program)
	child.Env = append(os.Environ(), codecsEnv(), wasm.Env+"="+string(t.cache), fmt.Sprint(translateEnv, "=", need))
	child.Stderr = &says
	out, err := child.Output()
	if err == nil {
		_, err = fmt.Sscan(string(out), &ready)
	}
	if text := strings.TrimSpace(says.String()); text != "" {
		err = errors.Join(err, errors.New(text))
	}
	return ready & need, err
}
