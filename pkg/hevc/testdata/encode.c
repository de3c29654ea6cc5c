// encode makes one HEVC picture with libx265: encode in.yuv width height chroma depth out.hevc out.yuv name=value...
// chroma is 0 for gray, 1 for 4:2:0, 2 for 4:2:2 and 3 for 4:4:4. Samples of more than 8 bits are little-endian.
// out.yuv is what a decoder has to make of out.hevc.
//
//	cc -o encode encode.c -lx265
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x265.h>

int main(int argc, char **argv) {
	if (argc < 8) return 2;
	int w = atoi(argv[2]), h = atoi(argv[3]), chroma = atoi(argv[4]), depth = atoi(argv[5]);
	const x265_api *api = x265_api_get(depth);
	if (!api) return 1;
	x265_param *p = api->param_alloc();
	api->param_default_preset(p, "slow", "ssim");
	p->sourceWidth = w, p->sourceHeight = h, p->internalCsp = chroma;
	p->fpsNum = 25, p->fpsDenom = 1, p->logLevel = 0, p->bRepeatHeaders = 1, p->frameNumThreads = 1;
	api->param_parse(p, "keyint", "1");
	api->param_parse(p, "info", "0");
	for (int i = 8; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		if (!value) return 2;
		*value++ = 0;
		if (api->param_parse(p, argv[i], value)) return 2;
	}
	x265_encoder *enc = api->encoder_open(p);
	if (!enc) return 1;
	int size = depth > 8 ? 2 : 1, cw = chroma == 0 ? 0 : chroma == 3 ? w : w / 2, ch = chroma == 1 ? h / 2 : h;
	long luma = (long)w * h * size, color = (long)cw * ch * size;
	unsigned char *in = calloc(1, luma + 2 * color);
	FILE *f = fopen(argv[1], "rb");
	if (!f || fread(in, 1, luma + 2 * color, f) != luma + 2 * color) return 1;
	fclose(f);
	x265_picture *pic = api->picture_alloc(), *rec = api->picture_alloc();
	api->picture_init(p, pic);
	for (int i = 0; i < 3; i++) {
		pic->planes[i] = in + (i > 0) * luma + (i > 1) * color;
		pic->stride[i] = (i ? cw : w) * size;
	}
	pic->bitDepth = depth, pic->colorSpace = chroma;
	x265_nal *nal;
	uint32_t count;
	FILE *out = fopen(argv[6], "wb"), *yuv = fopen(argv[7], "wb");
	if (!out || !yuv) return 1;
	for (int n = api->encoder_encode(enc, &nal, &count, pic, rec);; n = api->encoder_encode(enc, &nal, &count, NULL, rec)) {
		if (n < 0) return 1;
		for (uint32_t i = 0; i < count; i++) fwrite(nal[i].payload, 1, nal[i].sizeBytes, out);
		if (n == 0) continue;
		for (int i = 0; i < (chroma ? 3 : 1); i++)
			for (int y = 0; y < (i ? ch : h); y++)
				fwrite((char *)rec->planes[i] + (long)y * rec->stride[i], size, i ? cw : w, yuv);
		break;
	}
	return fclose(out) || fclose(yuv);
}
