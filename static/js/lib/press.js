// A press whose button moves away between pointer down and up is no click, nor is one whose button is drawn again under
// it. So what changes the page waits for the press: what it causes itself, by leaving a field, is sent at its end; what
// others bring (the answer of a server, a frame of a socket) is shown when its click is told.

const LONGEST_MS = 3000 // the end of a press may never be told, such as when it opens a menu of the browser's own
const NO_CLICK_MS = 100 // a drag ends without a click; the click of a touch comes a moment after its end

let press = null // the one that goes on: what is to be done at its end, and what after its click

function runAll(acts) {
  for (const act of acts.splice(0)) {
    try {
      act()
    } catch (error) {
      reportError(error)
    }
  }
}

function begin() {
  finish(press)
  press = { hasEnded: false, atEnd: [], afterClick: [] }
  setTimeout(finish, LONGEST_MS, press)
}

function end() {
  if (!press || press.hasEnded) return
  press.hasEnded = true
  runAll(press.atEnd)
  setTimeout(finish, NO_CLICK_MS, press)
}

function finish(which) {
  if (!which || which !== press) return
  end()
  press = null
  runAll(which.afterClick)
}

const listen = (type, listener) => document.addEventListener(type, listener, { capture: true })
listen("pointerdown", ({ button, target }) => button === 0 && !target.closest?.("select") && begin())
listen("pointerup", end)
listen("pointercancel", () => finish(press)) // it has become a scroll
listen("click", () => setTimeout(finish, 0, press))

// The space bar presses a button as a finger does: down and up.
const isPressable = (target) => target.closest?.("button, summary, [role=button], :is([type=checkbox], [type=radio])")
listen("keydown", ({ key, target, repeat }) => key === " " && !repeat && isPressable(target) && begin())
listen("keyup", ({ key }) => key === " " && end())

const wait = (acts, act) => new Promise((resolve) => acts.push(() => resolve(act())))

/** Do this now, or at the end of a press that goes on, before its click is told. Returns what it returns, or a promise of it. */
export const atPressEnd = (act) => (!press || press.hasEnded ? act() : wait(press.atEnd, act))

/** Do this now, or after the click of a press that goes on; in the order of the calls. Returns what it returns, or a
 * promise of it. */
export const afterPress = (act) => (press ? wait(press.afterClick, act) : act())

// htmx shows an answer as soon as it has come.
document.addEventListener("htmx:beforeSend", ({ detail: { xhr } }) => {
  const show = xhr.onload
  xhr.onload = (event) => afterPress(() => show.call(xhr, event))
})
