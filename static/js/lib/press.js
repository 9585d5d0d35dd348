// A press whose button moves away between pointer down and up is no click: what moves the page waits for the press to end.

const LONGEST_MS = 1000 // the end of a press may never be told, such as when it opens a menu of the browser's own

let end = null // what waits for the press that goes on; null: none does

function finish() {
  const waiting = end
  end = null
  for (const act of waiting ?? []) act()
}
document.addEventListener(
  "pointerdown",
  ({ button, target }) => {
    if (button !== 0 || target.closest?.("select")) return
    finish()
    end = []
    setTimeout((press) => press === end && finish(), LONGEST_MS, end)
  },
  { capture: true },
)
for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, finish, { capture: true })

/** Do this now, or at the end of a press that goes on, before its click is told. Returns what it returns, or a promise of it. */
export const atPressEnd = (act) => (end === null ? act() : new Promise((resolve) => end.push(() => resolve(act()))))
