package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/pkg/isolate"
)

// noCodeCache is the value of wasm.Env by which no machine code is kept.
const noCodeCache = "off"

// openCodeCache returns the user's cache of machine code, or one that the user names, by wasm.OpenCache or CheckCache.
// It is empty without an error where none is wanted.
func openCodeCache(open func(dir string, codecs ...*wasm.Module) (wasm.Cache, error)) (wasm.Cache, error) {
	dir := os.Getenv(wasm.Env)
	switch dir {
	case noCodeCache:
		return "", nil
	case "":
		// Machine code is kept by the version of its translator.
		if info, ok := debug.ReadBuildInfo(); !ok || len(info.Deps) == 0 {
			return "", errors.New("this build does not say what it is made of")
		}
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(user, "imagefarm", "codecs")
	}
	cache, err := open(dir, standInModules()...)
	if err != nil {
		return "", fmt.Errorf("cannot keep the machine code of codecs in %s: %w", dir, err)
	}
	return cache, nil
}

// logCodeCache says why machine code is not kept. It warns if the user can change that.
func logCodeCache(log *slog.Logger, err error) {
	level := slog.LevelDebug
	if errors.Is(err, wasm.ErrExposed) || os.Getenv(wasm.Env) != "" {
		level = slog.LevelWarn
	}
	log.Log(context.Background(), level, "later processes will translate codecs in WebAssembly again", "error", err)
}

// useCodeCache has this process keep machine code.
func useCodeCache(log *slog.Logger) error {
	cache, err := openCodeCache(wasm.OpenCache)
	if err != nil {
		logCodeCache(log, err)
	}
	return os.Setenv(wasm.Env, string(cache))
}

// translateEnv makes a process add the machine code of codecs to a cache and end. Its value is the codecs' number. The
// farm's own process neither loads libraries to learn which are missing, nor keeps the memory that translating takes.
const translateEnv = "IMAGEFARM_TRANSLATE"

// translateCodecs adds codecs to the cache and prints the number of those that children are to load, if this process
// was started for that. It ends when its standard input does: its parent has ended.
func translateCodecs() bool {
	asked, err := strconv.ParseUint(os.Getenv(translateEnv), 10, 8)
	if err != nil {
		return false
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(ExitFault)
	}()
	var ready isolate.Libraries
	for _, s := range findStandIns(isolate.Libraries(asked)) {
		if err := wasm.Cache(os.Getenv(wasm.Env)).Add(s.module); err != nil {
			fmt.Fprintln(stderr(), err)
			continue
		}
		ready |= s.codec
	}
	fmt.Fprintln(stdout(), ready)
	return true
}

// translateTimeout bounds how long a codec is translated, and waited for while another farm translates it.
const translateTimeout = 30 * time.Second

// translator has each codec in WebAssembly translated once for all children.
type translator struct {
	cache     wasm.Cache           // empty: none
	temporary *wasm.TemporaryCache // the cache, if it is for this process alone: close removes it; else nil
	absent    error                // why there is no cache; nil if none is wanted, or this system cannot have one
	log       *slog.Logger
	makeCache func() error
	translate func(context.Context, isolate.Libraries) (isolate.Libraries, error) // adds a codec to the cache

	ctx     context.Context // ends with close
	stop    context.CancelFunc
	running sync.WaitGroup
	warned  sync.Once

	mu    sync.Mutex
	asked map[isolate.Libraries]*translation // of each codec
}

// translation is that of one codec.
type translation struct {
	done  chan struct{}
	ready isolate.Libraries // the codec, if children are to load it; valid when done is closed
}

// newTranslator returns a translator for the user's cache. If that cannot be used, it is for a temporary directory,
// which makeCache makes.
func newTranslator(log *slog.Logger) *translator {
	t := &translator{log: log, asked: make(map[isolate.Libraries]*translation)}
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.translate = t.runTranslator
	cache, err := openCodeCache(wasm.OpenCache)
	if err != nil {
		logCodeCache(log, err)
		if t.temporary, err = wasm.NewTemporaryCache(); err == nil {
			cache = t.temporary.Cache
		} else if !errors.Is(err, errors.ErrUnsupported) {
			t.absent = fmt.Errorf("cannot keep their machine code: %w; let %s name a directory of mode 0700, "+
				"with none above it that other users can write to", err, wasm.Env)
		}
	}
	t.cache = cache
	t.makeCache = sync.OnceValue(func() error {
		if t.temporary == nil {
			return t.absent
		}
		return t.temporary.Open()
	})
	return t
}

// close ends translations and removes a temporary cache.
func (t *translator) close() {
	t.mu.Lock() // none starts after this
	t.stop()
	t.mu.Unlock()
	t.running.Wait()
	if t.temporary != nil {
		t.temporary.Remove()
	}
}

// awaitCodecs returns which of the codecs that are needed a child is to load from the cache: not those for which a C
// library is installed. When it is first asked for a codec, it waits until that is translated or ctx ends.
func (t *translator) awaitCodecs(ctx context.Context, need isolate.Libraries) (ready isolate.Libraries) {
	if t.cache == "" && t.absent == nil {
		return 0
	}
	var all []*translation
	for _, s := range standIns {
		if need&s.codec != 0 {
			all = append(all, t.start(s.codec))
		}
	}
	for _, one := range all {
		select {
		case <-one.done:
			ready |= one.ready
		case <-ctx.Done():
			return ready
		}
	}
	return ready
}

// start returns the translation of a codec, which it starts if there is none.
func (t *translator) start(codec isolate.Libraries) *translation {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one := t.asked[codec]; one != nil {
		return one
	}
	one := &translation{done: make(chan struct{})}
	t.asked[codec] = one
	if t.ctx.Err() != nil {
		close(one.done)
		return one
	}
	t.running.Go(func() {
		defer close(one.done)
		ctx, cancel := context.WithTimeoutCause(t.ctx, translateTimeout, errTranslateTimeout)
		defer cancel()
		ready, err := t.translate(ctx, codec)
		if err != nil && t.ctx.Err() == nil {
			err = cmp.Or(t.absent, err)
			t.warned.Do(func() {
				t.log.Warn("each child process translates codecs in WebAssembly itself", "error", err)
			})
		}
		one.ready = ready & codec
	})
	return one
}

var errTranslateTimeout = fmt.Errorf("a codec was not translated within %v", translateTimeout)

// runTranslator has a process add codecs to the cache. Without a cache, the error says that a codec would need one.
func (t *translator) runTranslator(ctx context.Context, need isolate.Libraries) (ready isolate.Libraries, err error) {
	if err := t.makeCache(); err != nil && t.cache != "" {
		return 0, err
	}
	program, err := isolate.Program()
	if err != nil {
		return 0, err
	}
	var says strings.Builder
	child := exec.CommandContext(ctx, program)
	child.Args = []string{"imagefarm-translate"}
	child.Env = append(os.Environ(), codecsEnv(), wasm.Env+"="+string(t.cache), fmt.Sprint(translateEnv, "=", need))
	child.Stderr = &says
	child.SysProcAttr = ownGroup()
	if _, err := child.StdinPipe(); err != nil {
		return 0, err
	}
	out, err := child.Output()
	if err == nil {
		_, err = fmt.Sscan(string(out), &ready)
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if text := strings.TrimSpace(says.String()); text != "" {
		err = errors.Join(err, errors.New(text))
	}
	return ready, err
}
