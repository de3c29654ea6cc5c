/* turbo - libjpeg-turbo as the reference of package jpeg's tests and benchmarks.
 *
 *   turbo planes DENOM FILE      the planes as jpeg_read_raw_data gives them
 *   turbo blocks DENOM FILE      each component's own coefficients through libjpeg's own transform of its own
 *                                size (DENOM 1: jpeg_idct_islow, 8: jpeg_idct_1x1), whatever the sampling
 *   turbo time DENOM ROUNDS FILE...   one line "microseconds FILE" for each file: the fastest of ROUNDS decodes to planes
 *
 * planes and blocks write, for each component, "P5 WIDTH HEIGHT 255\n" and the samples.
 * The exit code is 3 when libjpeg gave a warning.
 *
 * cc -O2 -o turbo turbo.c -l:libjpeg.a
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#define JPEG_INTERNALS
#include <jpeglib.h>

extern void jpeg_idct_islow(j_decompress_ptr, jpeg_component_info *, JCOEFPTR, JSAMPARRAY, JDIMENSION);
extern void jpeg_idct_1x1(j_decompress_ptr, jpeg_component_info *, JCOEFPTR, JSAMPARRAY, JDIMENSION);

static unsigned char *slurp(const char *name, unsigned long *size) {
  FILE *f = fopen(name, "rb");
  if (!f) { perror(name); exit(2); }
  fseek(f, 0, SEEK_END);
  *size = ftell(f);
  rewind(f);
  unsigned char *p = malloc(*size + 1);
  if (fread(p, 1, *size, f) != *size) { perror(name); exit(2); }
  fclose(f);
  return p;
}

static unsigned ceil_div(unsigned a, unsigned b) { return (a + b - 1) / b; }

/* planes holds every component, padded to whole iMCU rows. */
struct planes { unsigned char *pix[4]; unsigned stride[4], width[4], height[4], rows[4]; int n; };

static void release(struct planes *p) { for (int i = 0; i < p->n; i++) free(p->pix[i]); p->n = 0; }

/* decode_planes decodes into p, which keeps its memory when it already holds a picture of the same kind. */
static long decode_planes(unsigned char *data, unsigned long size, int denom, struct planes *p) {
  struct jpeg_decompress_struct d;
  struct jpeg_error_mgr err;
  d.err = jpeg_std_error(&err);
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, data, size);
  jpeg_read_header(&d, TRUE);
  d.scale_num = 1;
  d.scale_denom = denom;
  d.raw_data_out = TRUE;
  d.out_color_space = d.jpeg_color_space;
  d.do_fancy_upsampling = FALSE;
  jpeg_start_decompress(&d);
  int fresh = p->n == 0;
  p->n = d.num_components;
  int band[4];
  for (int i = 0; i < p->n; i++) {
    jpeg_component_info *c = &d.comp_info[i];
    p->width[i] = c->downsampled_width;
    p->height[i] = c->downsampled_height;
    p->stride[i] = ceil_div(c->width_in_blocks, c->h_samp_factor) * c->h_samp_factor * c->DCT_scaled_size + 32;
    band[i] = c->v_samp_factor * c->DCT_scaled_size;
    p->rows[i] = d.total_iMCU_rows * band[i];
    if (fresh) p->pix[i] = malloc((size_t)p->stride[i] * p->rows[i]);
  }
  unsigned lines = d.max_v_samp_factor * d.min_DCT_scaled_size;
  JSAMPROW rows[4][40];
  JSAMPARRAY arrays[4] = { rows[0], rows[1], rows[2], rows[3] };
  for (unsigned y = 0; d.output_scanline < d.output_height; y++) {
    for (int i = 0; i < p->n; i++)
      for (int r = 0; r < band[i]; r++) rows[i][r] = p->pix[i] + (size_t)p->stride[i] * (y * band[i] + r);
    jpeg_read_raw_data(&d, arrays, lines);
  }
  jpeg_finish_decompress(&d);
  long warnings = err.num_warnings;
  jpeg_destroy_decompress(&d);
  return warnings;
}

static long decode_blocks(unsigned char *data, unsigned long size, int denom, struct planes *p) {
  struct jpeg_decompress_struct d;
  struct jpeg_error_mgr err;
  d.err = jpeg_std_error(&err);
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, data, size);
  jpeg_read_header(&d, TRUE);
  jvirt_barray_ptr *coefs = jpeg_read_coefficients(&d);
  /* The transforms look their results up in the range-limit table that decompression proper would have made:
   * 3 * 256 + ... entries, see prepare_range_limit_table in jdmaster.c. */
  static JSAMPLE table[5 * 256 + 128];
  JSAMPLE *t = table + 256;
  d.sample_range_limit = t;
  for (int i = 0; i < 256; i++) t[i] = i;
  t += 128;
  for (int i = 128; i < 512; i++) t[i] = 255;
  memcpy(t + 1024 - 128, d.sample_range_limit, 128);
  p->n = d.num_components;
  unsigned side = 8 / denom;
  for (int i = 0; i < p->n; i++) {
    jpeg_component_info *c = &d.comp_info[i];
    p->width[i] = ceil_div(ceil_div(d.image_width * c->h_samp_factor, d.max_h_samp_factor), denom);
    p->height[i] = ceil_div(ceil_div(d.image_height * c->v_samp_factor, d.max_v_samp_factor), denom);
    p->stride[i] = c->width_in_blocks * side;
    p->rows[i] = c->height_in_blocks * side;
    p->pix[i] = malloc((size_t)p->stride[i] * p->rows[i]);
    short multiplier[64];
    for (int k = 0; k < 64; k++) multiplier[k] = c->quant_table->quantval[k];
    c->dct_table = multiplier;
    for (unsigned y = 0; y < c->height_in_blocks; y++) {
      JBLOCKARRAY row = d.mem->access_virt_barray((j_common_ptr)&d, coefs[i], y, 1, FALSE);
      JSAMPROW out[8];
      for (unsigned r = 0; r < side; r++) out[r] = p->pix[i] + (size_t)p->stride[i] * (y * side + r);
      for (unsigned x = 0; x < c->width_in_blocks; x++) {
        if (denom == 8) jpeg_idct_1x1(&d, c, row[0][x], out, x);
        else jpeg_idct_islow(&d, c, row[0][x], out, x * 8);
      }
    }
    c->dct_table = NULL;
  }
  d.sample_range_limit = NULL;
  jpeg_finish_decompress(&d);
  long warnings = err.num_warnings;
  jpeg_destroy_decompress(&d);
  return warnings;
}

static void dump(struct planes *p) {
  for (int i = 0; i < p->n; i++) {
    printf("P5 %u %u 255\n", p->width[i], p->height[i]);
    for (unsigned y = 0; y < p->height[i]; y++) fwrite(p->pix[i] + (size_t)p->stride[i] * y, 1, p->width[i], stdout);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  struct planes p = { .n = 0 };
  unsigned long size;
  if (argc == 4 && !strcmp(argv[1], "planes")) {
    unsigned char *data = slurp(argv[3], &size);
    long warnings = decode_planes(data, size, atoi(argv[2]), &p);
    dump(&p);
    return warnings ? 3 : 0;
  }
  if (argc == 4 && !strcmp(argv[1], "blocks")) {
    unsigned char *data = slurp(argv[3], &size);
    long warnings = decode_blocks(data, size, atoi(argv[2]), &p);
    dump(&p);
    return warnings ? 3 : 0;
  }
  if (argc > 4 && !strcmp(argv[1], "time")) {
    for (int i = 4; i < argc; i++) {
      unsigned char *data = slurp(argv[i], &size);
      double best = 1e18;
      for (int round = atoi(argv[3]); round > 0; round--) {
        double start = now();
        decode_planes(data, size, atoi(argv[2]), &p);
        double took = now() - start;
        if (took < best) best = took;
      }
      release(&p);
      free(data);
      printf("%.0f %s\n", best, argv[i]);
    }
    return 0;
  }
  fprintf(stderr, "usage: turbo planes|blocks DENOM FILE | turbo time DENOM ROUNDS FILE...\n");
  return 2;
}
