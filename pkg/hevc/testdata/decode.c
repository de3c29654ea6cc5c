// decode decodes the first picture of a stream with libde265: decode in.hevc out.yuv [unfiltered]
//
//	cc -o decode decode.c -lde265
#include <libde265/de265.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
	static unsigned char in[1 << 24];
	if (argc < 3) return 2;
	FILE *f = fopen(argv[1], "rb");
	if (!f) return 1;
	size_t n = fread(in, 1, sizeof in, f);
	de265_decoder_context *c = de265_new_decoder();
	de265_set_parameter_bool(c, DE265_DECODER_PARAM_DISABLE_DEBLOCKING, argc > 3);
	de265_set_parameter_bool(c, DE265_DECODER_PARAM_DISABLE_SAO, argc > 3);
	de265_push_data(c, in, n, 0, NULL);
	de265_flush_data(c);
	const struct de265_image *im = NULL;
	for (int more = 1; more && !im;) {
		more = 0;
		de265_error e = de265_decode(c, &more);
		im = de265_get_next_picture(c);
		if (e != DE265_OK && e != DE265_ERROR_WAITING_FOR_INPUT_DATA) break;
	}
	FILE *out = fopen(argv[2], "wb");
	if (!im || !out) return 1;
	for (int i = 0; i < (de265_get_chroma_format(im) == de265_chroma_mono ? 1 : 3); i++) {
		int stride, size = (de265_get_bits_per_pixel(im, i) + 7) / 8;
		const unsigned char *p = de265_get_image_plane(im, i, &stride);
		for (int y = 0; y < de265_get_image_height(im, i); y++)
			fwrite(p + y * stride, size, de265_get_image_width(im, i), out);
	}
	return fclose(out);
}
