// Tells that a run has ended while the reader looks elsewhere: in the title, and as a notification if asked for.

const title = document.title
let wanted = false

export async function wantTelling(button) {
  if (!("Notification" in window)) return
  wanted = (await Notification.requestPermission()) === "granted"
  button.textContent = wanted ? "You will be told" : "Not allowed by the browser"
}

const told = new Set()

/** Tell once that the run of this panel has ended. */
export function tellEnd({ run, runModel: model }, state) {
  if (!document.hidden || told.has(run)) return
  told.add(run)
  const word = { completed: "done", failed: "failed", interrupted: "cut off", cancelled: "stopped" }[state] ?? "ended"
  document.title = `● ${word} · ${title}`
  if (wanted) new Notification(`Run ${word}`, { body: model ?? "", tag: "run-ended" })
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.title = title
})
