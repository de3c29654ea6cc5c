/*
 * turbo: the thumbnails of a farm of one, on libjpeg-turbo. The peer to beat.
 *
 *     turbo JOB1|JOB2|JOB3 OUTDIR FILE...
 *
 * JOB1 fits each JPEG into 256, 128 and 64 pixels; JOB2 into 1280; JOB3 into 1280 as WebP (quality 80, method 4).
 * It does what is known to be fast and no more: each file is decoded once to planes at the largest DCT scaling that
 * leaves twice the largest variant, filtered plane by plane with Lanczos (a = 3) in 16-bit integers, the smaller
 * variants from the larger ones, and encoded at quality 85, 4:2:0. No colour conversion, no metadata, no orientation,
 * one thread. All memory is kept from picture to picture, the codec's too: fresh pages cost as much as decoding does.
 *
 *     cc -O3 -march=native -ffast-math -o turbo turbo.c -lturbojpeg -lwebp -lm
 *
 * The filters use AVX2 where the compiler has it, and are otherwise written so that it can make vector code of them.
 */
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <unistd.h>
#include <webp/encode.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { LOBES = 3, BLOCK = 64 };

typedef unsigned char byte;

typedef struct {
	int w, h, stride;
	byte *p;
	size_t room; /* bytes at p: grows, never shrinks */
} plane;

typedef struct {
	plane p[3];
	int n; /* 3, or 1 for gray */
	int w, h;
	double real_w, real_h; /* what of it is picture: a reduced decode rounds up */
	int sub_x, sub_y; /* luma samples for one of chroma */
} picture;

/* taps of one output sample: n weights from sample first on, in 1/16384, padded with zeros to whole vectors */
typedef struct {
	int n, first;
	int16_t *w;
} taps;

/* all taps of one side of a plane; they grow and never shrink */
typedef struct {
	taps *t;
	int16_t *w;
	size_t samples, weights;
} filter;

enum { ONE = 1 << 14, KEPT = 6 }; /* the row between the filters has 6 bits behind the point */

static void die(const char *what, const char *name)
{
	fprintf(stderr, "turbo: %s: %s\n", name, what);
	exit(1);
}

static void *need(void *p)
{
	if (!p)
		die("out of memory", "malloc");
	return p;
}

static void reserve(plane *p, int w, int h)
{
	p->w = w;
	p->h = h;
	p->stride = (w + BLOCK - 1) / BLOCK * BLOCK;
	size_t want = (size_t)p->stride * h + BLOCK;
	if (want > p->room) {
		free(p->p);
		p->p = need(aligned_alloc(64, (want + 63) / 64 * 64));
		p->room = want;
	}
}

static double lanczos(double x)
{
	x = fabs(x);
	if (x >= LOBES)
		return 0;
	if (x < 1e-8)
		return 1;
	x *= M_PI;
	return LOBES * sin(x) * sin(x / LOBES) / (x * x);
}

/* scale is the width of an output sample in input samples */
static const taps *make_taps(filter *f, int from, int to, double scale)
{
	double support = LOBES * (scale > 1 ? scale : 1), k = scale > 1 ? 1 / scale : 1;
	size_t most = ((int)(2 * support) + 2 + 15) / 16 * 16;
	if ((size_t)to > f->samples) {
		f->t = need(realloc(f->t, to * sizeof *f->t));
		f->samples = to;
	}
	if (to * most > f->weights) {
		f->w = need(realloc(f->w, to * most * sizeof *f->w));
		f->weights = to * most;
	}
	memset(f->w, 0, to * most * sizeof *f->w);
	int16_t *w = f->w;
	for (int i = 0; i < to; i++, w += most) {
		double exact[most], centre = (i + 0.5) * scale, sum = 0;
		int lo = (int)floor(centre - support + 0.5), hi = (int)floor(centre + support + 0.5);
		if (lo < 0)
			lo = 0;
		if (hi > from)
			hi = from;
		f->t[i].first = lo;
		f->t[i].n = hi - lo;
		f->t[i].w = w;
		for (int j = lo; j < hi; j++)
			sum += exact[j - lo] = lanczos((j + 0.5 - centre) * k);
		int left = ONE, peak = 0;
		for (int j = 0; j < hi - lo; j++) {
			w[j] = (int16_t)lrint(exact[j] / sum * ONE);
			left -= w[j];
			if (w[j] > w[peak])
				peak = j;
		}
		w[peak] += left; /* they add up to one exactly: a flat picture stays as it is */
	}
	return f->t;
}

/* one row of the output before the horizontal filter */
static void vertical(const plane *s, const taps *t, int16_t *restrict row)
{
	const byte *top = s->p + (size_t)t->first * s->stride;
#ifdef __AVX2__
	for (int x = 0; x < s->stride; x += 32) {
		__m256i a = _mm256_set1_epi32(1 << (13 - KEPT)), b = a, c = a, d = a;
		const byte *p = top + x;
		for (int j = 0; j < t->n; j += 2) {
			/* two rows at a time; past the last the weight is zero, and the row any */
			const byte *q = j + 1 < t->n ? p + s->stride : p;
			__m256i w = _mm256_set1_epi32((uint16_t)t->w[j] | (uint32_t)(uint16_t)t->w[j + 1] << 16);
			__m128i p0 = _mm_loadu_si128((const __m128i *)p), p1 = _mm_loadu_si128((const __m128i *)(p + 16));
			__m128i q0 = _mm_loadu_si128((const __m128i *)q), q1 = _mm_loadu_si128((const __m128i *)(q + 16));
			a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(p0, q0)), w));
			b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpackhi_epi8(p0, q0)), w));
			c = _mm256_add_epi32(c, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(p1, q1)), w));
			d = _mm256_add_epi32(d, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpackhi_epi8(p1, q1)), w));
			p += 2 * s->stride;
		}
		a = _mm256_packs_epi32(_mm256_srai_epi32(a, 14 - KEPT), _mm256_srai_epi32(b, 14 - KEPT));
		c = _mm256_packs_epi32(_mm256_srai_epi32(c, 14 - KEPT), _mm256_srai_epi32(d, 14 - KEPT));
		_mm256_storeu_si256((__m256i *)(row + x), _mm256_permute4x64_epi64(a, 0xd8));
		_mm256_storeu_si256((__m256i *)(row + x + 16), _mm256_permute4x64_epi64(c, 0xd8));
	}
#else
	for (int x = 0; x < s->stride; x += BLOCK) {
		int32_t acc[BLOCK];
		for (int i = 0; i < BLOCK; i++)
			acc[i] = 1 << (13 - KEPT);
		const byte *p = top + x;
		for (int j = 0; j < t->n; j++, p += s->stride)
			for (int i = 0; i < BLOCK; i++)
				acc[i] += t->w[j] * p[i];
		for (int i = 0; i < BLOCK; i++)
			row[x + i] = (int16_t)(acc[i] >> (14 - KEPT));
	}
#endif
}

static void horizontal(const int16_t *restrict row, const taps *t, byte *restrict out, int w)
{
	for (int x = 0; x < w; x++) {
		const int16_t *p = row + t[x].first, *k = t[x].w;
		/* The weights past the last are zeros, and the row has room behind its end. */
#ifdef __AVX2__
		__m256i acc = _mm256_setzero_si256();
		for (int j = 0; j < t[x].n; j += 16)
			acc = _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)(p + j)),
				_mm256_loadu_si256((const __m256i *)(k + j))));
		__m128i half = _mm_add_epi32(_mm256_castsi256_si128(acc), _mm256_extracti128_si256(acc, 1));
		half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
		half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
		int32_t v = _mm_cvtsi128_si32(half);
#else
		int32_t v = 0;
		for (int j = 0; j < t[x].n; j++)
			v += k[j] * p[j];
#endif
		v = (v + (1 << (13 + KEPT))) >> (14 + KEPT);
		out[x] = v < 0 ? 0 : v > 255 ? 255 : (byte)v;
	}
}

static void resize(const plane *s, plane *d, int w, int h, double sx, double sy)
{
	static filter across, down;
	static int16_t *row;
	static int room;
	reserve(d, w, h);
	if (s->w == w && s->h == h && sx == 1 && sy == 1) {
		for (int y = 0; y < h; y++)
			memcpy(d->p + (size_t)y * d->stride, s->p + (size_t)y * s->stride, w);
		return;
	}
	if (s->stride + BLOCK > room) {
		free(row);
		room = s->stride + BLOCK;
		row = need(calloc(room, sizeof *row));
	}
	const taps *tx = make_taps(&across, s->w, w, sx), *ty = make_taps(&down, s->h, h, sy);
	for (int y = 0; y < h; y++) {
		vertical(s, &ty[y], row);
		horizontal(row, tx, d->p + (size_t)y * d->stride, w);
	}
}

static void resize_picture(const picture *s, picture *d, int w, int h)
{
	/* Odd sizes: the last chroma sample is half outside, so planes do not scale by the ratio of their sizes. */
	double sx = s->real_w / w, sy = s->real_h / h;
	d->n = s->n;
	d->w = d->real_w = w;
	d->h = d->real_h = h;
	d->sub_x = d->sub_y = 2;
	resize(&s->p[0], &d->p[0], w, h, sx, sy);
	for (int i = 1; i < s->n; i++)
		resize(&s->p[i], &d->p[i], (w + 1) / 2, (h + 1) / 2, sx * 2 / s->sub_x, sy * 2 / s->sub_y);
}

/* the size that fits into side × side, from the original's; never larger */
static void fit(int w, int h, int side, int *fw, int *fh)
{
	double k = fmin(1, fmin((double)side / w, (double)side / h));
	*fw = fmax(1, floor(w * k + 0.5));
	*fh = fmax(1, floor(h * k + 0.5));
}

static void decode(tjhandle tj, const byte *data, size_t size, int w, int h, int sub, int side, picture *pic, const char *name)
{
	int fw, fh, d = 8;
	fit(w, h, side, &fw, &fh);
	while (d > 1 && ((w + d - 1) / d < 2 * fw || (h + d - 1) / d < 2 * fh))
		d /= 2;
	pic->w = (w + d - 1) / d;
	pic->h = (h + d - 1) / d;
	pic->real_w = (double)w / d;
	pic->real_h = (double)h / d;
	pic->sub_x = tjMCUWidth[sub] / 8;
	pic->sub_y = tjMCUHeight[sub] / 8;
	pic->n = sub == TJSAMP_GRAY ? 1 : 3;
	byte *planes[3] = { 0 };
	int strides[3] = { 0 };
	for (int i = 0; i < pic->n; i++) {
		reserve(&pic->p[i], tjPlaneWidth(i, pic->w, sub), tjPlaneHeight(i, pic->h, sub));
		planes[i] = pic->p[i].p;
		strides[i] = pic->p[i].stride;
	}
	if (tjDecompressToYUVPlanes(tj, data, size, planes, pic->w, strides, pic->h, 0) && tjGetErrorCode(tj) == TJERR_FATAL)
		die(tjGetErrorStr2(tj), name);
}

/* the whole file, in memory that the next one takes over */
static const byte *read_file(const char *name, size_t *size)
{
	static byte *data;
	static size_t room;
	struct stat st;
	int f = open(name, O_RDONLY);
	if (f < 0 || fstat(f, &st))
		die("cannot open", name);
	if ((size_t)st.st_size > room) {
		free(data);
		data = need(malloc(room = st.st_size));
	}
	for (size_t n = 0; n < (size_t)st.st_size;) {
		ssize_t got = read(f, data + n, st.st_size - n);
		if (got <= 0)
			die("cannot read", name);
		n += got;
	}
	close(f);
	*size = st.st_size;
	return data;
}

static void save(const char *path, const byte *p, size_t n)
{
	int f = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (f < 0 || write(f, p, n) != (ssize_t)n || close(f))
		die("cannot write", path);
}

static void save_jpeg(tjhandle tj, picture *pic, const char *path)
{
	const byte *planes[3] = { pic->p[0].p, pic->p[1].p, pic->p[2].p };
	int strides[3] = { pic->p[0].stride, pic->p[1].stride, pic->p[2].stride };
	static byte *out;
	static unsigned long room;
	int sub = pic->n == 1 ? TJSAMP_GRAY : TJSAMP_420;
	unsigned long n = tjBufSize(pic->w, pic->h, sub);
	if (n > room) {
		tjFree(out);
		out = need(tjAlloc(room = n));
	}
	if (tjCompressFromYUVPlanes(tj, planes, pic->w, strides, pic->h, sub, &out, &n, 85, TJFLAG_NOREALLOC))
		die(tjGetErrorStr2(tj), path);
	save(path, out, n);
}

/* WebP keeps its samples in studio range */
static void studio(plane *p, int luma)
{
	byte table[256];
	for (int v = 0; v < 256; v++)
		table[v] = luma ? 16.5 + v * 219.0 / 255 : 128.5 + (v - 128) * 224.0 / 255;
	for (size_t i = 0; i < (size_t)p->stride * p->h; i++)
		p->p[i] = table[p->p[i]];
}

static void save_webp(picture *pic, const char *path)
{
	WebPConfig config;
	WebPPicture web;
	WebPMemoryWriter to;
	if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, 80) || !WebPPictureInit(&web))
		die("libwebp of another version", path);
	config.method = 4;
	if (pic->n == 1)
		for (int i = 1; i < 3; i++) {
			reserve(&pic->p[i], (pic->w + 1) / 2, (pic->h + 1) / 2);
			memset(pic->p[i].p, 128, (size_t)pic->p[i].stride * pic->p[i].h);
		}
	for (int i = 0; i < 3; i++)
		studio(&pic->p[i], i == 0);
	WebPMemoryWriterInit(&to);
	web.width = pic->w;
	web.height = pic->h;
	web.y = pic->p[0].p;
	web.u = pic->p[1].p;
	web.v = pic->p[2].p;
	web.y_stride = pic->p[0].stride;
	web.uv_stride = pic->p[1].stride;
	web.writer = WebPMemoryWrite;
	web.custom_ptr = &to;
	if (!WebPEncode(&config, &web))
		die("cannot encode", path);
	save(path, to.mem, to.size);
	WebPMemoryWriterClear(&to);
}

int main(int argc, char **argv)
{
	static picture buffers[2];
	int sides[3] = { 1280 }, variants = 1, webp = 0;
	if (argc < 3 || (strcmp(argv[1], "JOB1") && strcmp(argv[1], "JOB2") && strcmp(argv[1], "JOB3")))
		die("usage: turbo JOB1|JOB2|JOB3 OUTDIR FILE...", "arguments");
	if (argv[1][3] == '1') {
		sides[0] = 256;
		sides[1] = 128;
		sides[2] = 64;
		variants = 3;
	}
	webp = argv[1][3] == '3';
	/* What is freed is kept for the next picture instead of being given back to the kernel. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_TOP_PAD, 16 << 20);
	tjhandle dec = tjInitDecompress(), enc = tjInitCompress();
	for (int i = 3; i < argc; i++) {
		size_t size;
		const byte *data = read_file(argv[i], &size);
		int w, h, sub, space;
		if (tjDecompressHeader3(dec, data, size, &w, &h, &sub, &space))
			die(tjGetErrorStr2(dec), argv[i]);
		const char *base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		int stem = strrchr(base, '.') ? (int)(strrchr(base, '.') - base) : (int)strlen(base);
		picture *from = &buffers[0], *to = &buffers[1];
		decode(dec, data, size, w, h, sub, sides[0], from, argv[i]);
		for (int v = 0; v < variants; v++) {
			char path[4096];
			int fw, fh;
			fit(w, h, sides[v], &fw, &fh);
			resize_picture(from, to, fw, fh);
			snprintf(path, sizeof path, "%s/%.*s_thumbnail%d.%s", argv[2], stem, base, sides[v], webp ? "webp" : "jpg");
			if (webp)
				save_webp(to, path);
			else
				save_jpeg(enc, to, path);
			picture *swap = from;
			from = to;
			to = swap;
		}
	}
	tjDestroy(dec);
	tjDestroy(enc);
	return 0;
}
