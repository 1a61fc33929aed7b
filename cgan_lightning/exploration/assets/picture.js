// Draw numbers from -1 to 1, one plane if grey and three if in colour, as pixels on a canvas, and download a canvas as a file.

const ENLARGED = 16; // the size of a pixel in the file

export function draw(canvas, values, size) {
  canvas.width = canvas.height = size;
  const pixels = new Uint8ClampedArray(4 * size * size);
  const channels = values.length / (size * size);
  for (let i = 0; i < size * size; i++) {
    for (let plane = 0; plane < 3; plane++) {
      const value = values[channels === 1 ? i : plane * size * size + i];
      pixels[4 * i + plane] = Math.round((value + 1) * 127.5); // as images.to_uint8 does
    }
    pixels[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(new ImageData(pixels, size, size), 0, 0);
}

export function download(canvas, name) {
  const large = document.createElement("canvas");
  large.width = large.height = canvas.width * ENLARGED;
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, large.width, large.height);
  large.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.replace(/[^\p{L}\p{N}.-]+/gu, "_")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
}
