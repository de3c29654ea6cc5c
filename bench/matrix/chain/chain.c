/*
 * Applies a recipe of the farm to many files, in one process, by libvips: what vipsthumbnail has no options for.
 *
 *     chain RECIPE SUFFIX OUTDIR FILE...
 *
 * A recipe has variants separated by ";". Each but the first is made from the one before, if all begin with fit.
 * Watermarks are files of the working directory. SUFFIX is that of the outputs with the encoder's options, such as
 * ".jpg[Q=85]".
 */
#include <stdio.h>
#include <string.h>
#include <vips/vips.h>

static const char *file;
static VipsImage *mark;

static void check(int failed)
{
	if (failed)
		vips_error_exit("%s", file);
}

/* Replaces an image by what became of it. */
static void to(VipsImage **in, VipsImage *out)
{
	if (*in)
		g_object_unref(*in);
	*in = out;
}

/* Puts the pixels into memory, for operations that do not go from top to bottom. */
static void keep(VipsImage **in)
{
	VipsImage *out = vips_image_copy_memory(*in);
	check(out == NULL);
	to(in, out);
}

/* Scales each channel's distance from gray, by the weights of BT.709. */
static int saturation(VipsImage *in, VipsImage **out, double s)
{
	double r = 0.2126 * (1 - s), g = 0.7152 * (1 - s), b = 0.0722 * (1 - s);
	VipsImage *wide, *m = vips_image_new_matrixv(3, 3, r + s, g, b, r, g + s, b, r, g, b + s);
	int failed = vips_recomb(in, &wide, m, NULL) || vips_cast_uchar(wide, out, NULL);
	to(&wide, NULL);
	g_object_unref(m);
	return failed;
}

/* Applies one operation. An image of NULL is the file, of which nothing has been read. */
static void apply(VipsImage **in, const char *op)
{
	VipsImage *out = NULL;
	char word[32] = "";
	double n = 0;
	int w = 0, h = 0, left, top;
	sscanf(op, "%31[^:]:%d", word, &w);
	sscanf(op, "%*[^:]:%lf", &n);
	sscanf(op, "%*[^:]:%*dx%d", &h);
	if (*in == NULL && strcmp(word, "fit") == 0) {
		check(vips_thumbnail(file, in, w, "height", h, "size", VIPS_SIZE_DOWN, NULL));
		return;
	}
	if (strcmp(word, "pad") == 0) {
		char fit[32];
		snprintf(fit, sizeof fit, "fit:%dx%d", w, h);
		apply(in, fit);
	}
	if (*in == NULL)
		check((*in = vips_image_new_from_file(file, "access",
			strcmp(word, "crop") == 0 ? VIPS_ACCESS_SEQUENTIAL : VIPS_ACCESS_RANDOM, NULL)) == NULL);
	if (strcmp(word, "fit") == 0) {
		check(vips_thumbnail_image(*in, &out, w, "height", h, "size", VIPS_SIZE_DOWN, NULL));
	} else if (strcmp(word, "crop") == 0) {
		check(vips_crop(*in, &out, ((*in)->Xsize - w) / 2, ((*in)->Ysize - h) / 2, w, h, NULL));
	} else if (strcmp(word, "pad") == 0) {
		VipsArrayDouble *navy = vips_array_double_newv(3, 0.0, 0.0, 128.0);
		check(vips_gravity(*in, &out, VIPS_COMPASS_DIRECTION_CENTRE, w, h, "extend", VIPS_EXTEND_BACKGROUND,
			"background", navy, NULL));
		vips_area_unref(VIPS_AREA(navy));
	} else if (strcmp(word, "trim") == 0) {
		check(vips_find_trim(*in, &left, &top, &w, &h, "threshold", 10.0, NULL));
		check(vips_crop(*in, &out, left, top, w, h, NULL));
	} else if (strcmp(word, "rotate") == 0) {
		keep(in);
		check(vips_rot(*in, &out, n == 180 ? VIPS_ANGLE_D180 : VIPS_ANGLE_D90, NULL));
	} else if (strcmp(word, "flip") == 0) {
		keep(in);
		check(vips_flip(*in, &out, VIPS_DIRECTION_VERTICAL, NULL));
	} else if (strcmp(word, "flop") == 0) {
		check(vips_flip(*in, &out, VIPS_DIRECTION_HORIZONTAL, NULL));
	} else if (strcmp(word, "blur") == 0) {
		check(vips_gaussblur(*in, &out, n, NULL));
	} else if (strcmp(word, "sharpen") == 0) {
		check(vips_sharpen(*in, &out, "sigma", n, NULL));
	} else if (strcmp(word, "brightness") == 0) {
		check(vips_linear1(*in, &out, 1, 2.55 * n, "uchar", TRUE, NULL));
	} else if (strcmp(word, "contrast") == 0) {
		check(vips_linear1(*in, &out, 1 + n / 100, -1.275 * n, "uchar", TRUE, NULL));
	} else if (strcmp(word, "saturation") == 0) {
		check(saturation(*in, &out, 1 + n / 100));
	} else if (strcmp(word, "gamma") == 0) {
		check(vips_gamma(*in, &out, "exponent", n, NULL));
	} else if (strcmp(word, "gray") == 0) {
		check(vips_colourspace(*in, &out, VIPS_INTERPRETATION_B_W, NULL));
	} else if (strcmp(word, "invert") == 0) {
		check(vips_invert(*in, &out, NULL));
	} else if (strcmp(word, "watermark") == 0) {
		if (mark == NULL) {
			check((mark = vips_image_new_from_file(strchr(op, ':') + 1, NULL)) == NULL);
			keep(&mark);
		}
		check(vips_composite2(*in, mark, &out, VIPS_BLEND_MODE_OVER, "x", (*in)->Xsize - mark->Xsize,
			"y", (*in)->Ysize - mark->Ysize, NULL));
	} else {
		vips_error_exit("no operation %s", op);
	}
	to(in, out);
}

int main(int argc, char **argv)
{
	if (argc < 5 || VIPS_INIT(argv[0]))
		vips_error_exit("usage: chain RECIPE SUFFIX OUTDIR FILE...");
	char **variants = g_strsplit(argv[1], ";", 0);
	for (char **f = argv + 4; *f; f++) {
		VipsImage *in = NULL;
		char *base = g_path_get_basename(file = *f);
		*strrchr(base, '.') = 0;
		for (int v = 0; variants[v]; v++) {
			char **ops = g_strsplit(variants[v], ",", 0);
			for (char **op = ops; *op; op++)
				apply(&in, *op);
			if (variants[v + 1])
				keep(&in);
			char *name = v == 0 ? g_strdup_printf("%s/%s%s", argv[3], base, argv[2])
				: g_strdup_printf("%s/%s_%d%s", argv[3], base, v, argv[2]);
			check(vips_image_write_to_file(in, name, NULL));
			g_free(name);
			g_strfreev(ops);
		}
		to(&in, NULL);
		g_free(base);
	}
	return 0;
}
