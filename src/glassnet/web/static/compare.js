// The curves of the chosen runs in one picture.
import { Chart } from "./chart.js";
import { get, told } from "./page.js";

const names = new Map([...document.querySelectorAll("#compared thead th[data-run]")].map((head) => [head.dataset.run, head.textContent]));
const found = await get(`/compare.json${location.search}`);
for (const figure of document.querySelectorAll("figure.chart")) {
  const chart = new Chart(figure, { x: figure.dataset.x });
  const ends = [];
  for (const [run, [x, y]] of Object.entries(found.charts[figure.dataset.chart])) {
    chart.append(names.get(run) || run, x, y);
    const real = y.filter((value) => value !== null);
    if (real.length) ends.push({ name: names.get(run), best: figure.dataset.chart === "loss" ? Math.min(...real) : Math.max(...real) });
  }
  if (!ends.length) continue;
  ends.sort((a, b) => (figure.dataset.chart === "loss" ? a.best - b.best : b.best - a.best));
  chart.say(`${figure.dataset.chart === "loss" ? "Lowest" : "Highest"}: ${ends[0].name} with ${told(ends[0].best)}${ends.length > 1 ? `; ${figure.dataset.chart === "loss" ? "highest" : "lowest"} of these bests: ${ends[ends.length - 1].name} with ${told(ends[ends.length - 1].best)}` : ""}.`);
}
