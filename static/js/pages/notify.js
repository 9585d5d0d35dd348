// Tells that a run has ended while the reader looks elsewhere: in the title, and as a notification if asked for.

let title = "" // what the page was called before it told
let wanted = false

export async function wantTelling(button) {
  if (!("Notification" in window)) return
  wanted = (await Notification.requestPermission()) === "granted"
  const words = wanted ? "You will be notified" : "Not allowed by the browser"
  button.querySelector("[data-notify-words]").textContent = words
}

const told = new Set()

/** Tell once that the run of this panel has ended. */
export function tellEnd({ run, runModel: model }, state) {
  if (!document.hidden || told.has(run)) return
  told.add(run)
  const word = { completed: "done", failed: "failed", interrupted: "cut off", cancelled: "stopped" }[state] ?? "ended"
  title ||= document.title
  document.title = `● ${word} · ${title}`
  if (wanted) new Notification(`Request ${word}`, { body: model ?? "", tag: "run-ended" })
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !title) return
  document.title = title
  title = ""
})
