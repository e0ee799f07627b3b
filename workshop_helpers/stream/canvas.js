// The front end of a live view: a canvas for its frames, and its buttons above.
// What a frame consists of is said in canvas.py, and its strokes in strokes.py.

const FONT = '"DejaVu Sans", Verdana, sans-serif';

function clipped(context, box, paint) {
  context.save();
  context.beginPath();
  context.rect(...box);
  context.clip();
  paint();
  context.restore();
}

const PAINT = {
  line(context, { at, n, colour, width, clip, marker }, data) {
    const points = new Float32Array(data, at, 2 * n);
    clipped(context, clip, () => {
      context.strokeStyle = context.fillStyle = colour;
      context.lineWidth = width;
      context.lineJoin = "round";
      context.beginPath();
      let broken = true;
      for (let i = 0; i < points.length; i += 2) {
        if (Number.isNaN(points[i + 1])) broken = true;
        else if (broken) {
          context.moveTo(points[i], points[i + 1]);
          broken = false;
        } else context.lineTo(points[i], points[i + 1]);
      }
      context.stroke();
      if (!marker.length) return;
      context.beginPath();
      for (let i = 0; i < points.length; i += 2) {
        context.moveTo(points[i] + marker[0], points[i + 1] + marker[1]);
        for (let k = 2; k < marker.length; k += 2) {
          context.lineTo(points[i] + marker[k], points[i + 1] + marker[k + 1]);
        }
      }
      context.fill();
    });
  },

  bars(context, { at, n, colours, clip }, data) {
    const boxes = new Float32Array(data, at, 4 * n);
    clipped(context, clip, () => {
      colours.forEach((colour, i) => {
        context.fillStyle = colour;
        context.fillRect(...boxes.subarray(4 * i, 4 * i + 4));
      });
    });
  },

  image(context, { at, size: [columns, rows], box, clip }, data) {
    const palette = new Uint32Array(data, at, 256);
    const places = new Uint8Array(data, at + 1024, columns * rows);
    const pixels = Uint32Array.from(places, (place) => palette[place]);
    const small = new OffscreenCanvas(columns, rows);
    const bytes = new Uint8ClampedArray(pixels.buffer);
    small.getContext("2d").putImageData(new ImageData(bytes, columns, rows), 0, 0);
    clipped(context, clip, () => {
      context.imageSmoothingEnabled = false;
      context.drawImage(small, ...box);
    });
  },

  text(context, { text, x, y, size, weight, colour, align, base }) {
    context.font = `${weight} ${size}px ${FONT}`;
    context.fillStyle = colour;
    context.textAlign = align;
    context.textBaseline = { top: "top", center: "middle", baseline: "alphabetic" }[base];
    const lines = text.split("\n");
    const first = base === "baseline" ? 1 - lines.length : 0;
    const room = align === "left" ? context.canvas.width - x : undefined;
    lines.forEach((line, i) => {
      context.fillText(line, x, y + (first + i) * 1.2 * size, room);
    });
  },
};

function paint(context, { strokes, data }) {
  for (const stroke of strokes) PAINT[stroke.kind](context, stroke, data);
}

function frames(model, canvas) {
  const context = canvas.getContext("2d");
  const below = document.createElement("canvas"); // what does not move, painted once
  const layers = {};
  let newest = 0;
  let drawing = false;
  let shown = 0;
  let told = 0; // the last frame of which the kernel knows

  async function paintBelow() {
    const { axes, still } = layers;
    if (axes.changed) axes.bitmap = await createImageBitmap(new Blob([axes.data]));
    axes.changed = still.changed = false;
    for (const each of [canvas, below]) {
      if (each.width !== axes.bitmap.width) each.width = axes.bitmap.width;
      if (each.height !== axes.bitmap.height) each.height = axes.bitmap.height;
    }
    canvas.hidden = false;
    below.getContext("2d").drawImage(axes.bitmap, 0, 0);
    paint(below.getContext("2d"), still);
  }

  async function draw() {
    const number = newest;
    if (layers.axes.changed || layers.still.changed) await paintBelow();
    context.drawImage(below, 0, 0);
    paint(context, layers.moving);
    canvas.dataset.shown = ++shown; // for whoever counts frames
    if (number >= told + 5) model.send({ event: "shown", number: (told = number) });
    drawing = newest !== number;
    if (drawing) requestAnimationFrame(draw);
  }

  return ({ frame, layers: changed }, buffers) => {
    if (frame === undefined) return;
    Object.entries(changed).forEach(([name, strokes], i) => {
      const { buffer, byteOffset, byteLength } = buffers[i];
      // A copy, which begins where numbers of four bytes may.
      const data = buffer.slice(byteOffset, byteOffset + byteLength);
      layers[name] = { strokes, data, changed: true, bitmap: layers[name]?.bitmap };
    });
    newest = frame;
    if (!drawing && layers.axes) {
      drawing = true;
      requestAnimationFrame(draw);
    }
  };
}

function button(model, { event, text, value, look }) {
  if (look === "words") {
    const words = document.createElement("span");
    words.textContent = text;
    return words;
  }
  const element = document.createElement("button");
  element.className = `workshop-${look}`;
  element.textContent = text;
  element.onclick = () => model.send({ event, value });
  return element;
}

function render({ model, el }) {
  el.classList.add("workshop-live");
  const canvas = document.createElement("canvas");
  canvas.hidden = true; // until there is a frame; recordings have only the buttons
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "live view of the stream");
  const row = document.createElement("div");
  row.className = "workshop-buttons";
  el.append(row, canvas);

  const fill = () => {
    row.replaceChildren(...model.get("buttons").map((spec) => button(model, spec)));
  };
  const onFrame = frames(model, canvas);
  model.on("change:buttons", fill);
  model.on("msg:custom", onFrame);
  fill();
  model.send({ event: "ready" });
  return () => {
    model.off("change:buttons", fill);
    model.off("msg:custom", onFrame);
  };
}

export default { render };
