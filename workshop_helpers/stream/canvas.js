// The front end of a live view: a canvas for its frames, and its buttons below.

function frames(model, canvas) {
  const context = canvas.getContext("2d");
  let newest = null;
  let drawing = false;
  let shown = 0;

  async function draw() {
    drawing = true;
    while (newest) {
      const { number, data } = newest;
      newest = null;
      const bitmap = await createImageBitmap(new Blob([data], { type: "image/jpeg" }));
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      context.drawImage(bitmap, 0, 0);
      bitmap.close();
      canvas.dataset.shown = ++shown; // for whoever counts frames
      if (number % 5 === 0) model.send({ event: "shown", number });
    }
    drawing = false;
  }

  return (message, buffers) => {
    if (message.frame === undefined) return;
    newest = { number: message.frame, data: buffers[0] };
    if (!drawing) draw();
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
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "live view of the stream");
  const row = document.createElement("div");
  row.className = "workshop-buttons";
  el.append(canvas, row);

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
