// Saves a drawn chart as a PNG file: the drawing on the page's ground, below what it shows and of which days.
import { token } from "./theme.js";

const SCALE = 2;
const HEAD = 56;

/** The drawing as an address. ECharts' own getDataURL does not escape the quotes around names of fonts. */
function address(chart) {
  const svg = new XMLSerializer().serializeToString(chart.getDom().querySelector("svg"));
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

async function picture(chart, data) {
  const drawing = new Image();
  drawing.src = address(chart);
  await drawing.decode();
  const canvas = document.createElement("canvas");
  canvas.width = chart.getWidth() * SCALE;
  canvas.height = (chart.getHeight() + HEAD) * SCALE;
  const pen = canvas.getContext("2d");
  pen.scale(SCALE, SCALE);
  pen.fillStyle = token("--surface");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = token("--ink");
  pen.font = `600 16px ${token("--sans")}`;
  pen.fillText(data.title, 12, 24);
  pen.fillStyle = token("--ink-2");
  pen.font = `12px ${token("--sans")}`;
  pen.fillText([data.period.replace(/(?<=^.{10})-/, " – "), data.unit, data.zone].filter(Boolean).join(" · "), 12, 44);
  pen.drawImage(drawing, 0, HEAD, chart.getWidth(), chart.getHeight());
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Hands the picture to the reader's browser as a file. */
export async function savePicture(chart, data) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await picture(chart, data));
  link.download = `${data.file}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}
