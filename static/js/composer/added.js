// "Add to conversation" says what it did, and then leads there: an answer is added once.

import { focusPlace } from "./form-focus.js"
import { comeWith, expect, holdBack, welcome } from "./form-problems.js"

document.addEventListener("answer:added", ({ detail, target }) => {
  const panel = target.closest?.(".answer-panel") ?? document.getElementById("answer")
  for (const button of panel?.querySelectorAll("[data-add-answer]") ?? []) {
    button.dataset.goesTo = detail.place
    button.removeAttribute("hx-post")
    window.htmx.process(button)
    button.querySelector(":scope > svg")?.remove()
    const words = button.querySelector(".add-word")
    const said = `✓ Added · Go to message ${detail.number}`
    if (words) words.textContent = said
    else button.textContent = said
    button.ariaLabel = said
  }
  if (!detail.isChanged) return show(detail.place)
  // The new message is empty, which is no fault of anybody's yet.
  holdBack()
  expect("add-turn")
  welcome(detail.place)
  // The form is drawn anew first: "draft:changed" asks for it.
  document.addEventListener("htmx:afterSettle", function settled(event) {
    if (event.detail.target?.id !== "ask") return
    document.removeEventListener("htmx:afterSettle", settled)
    setTimeout(() => show(detail.place))
  })
})

function show(place) {
  document.querySelector('[name="view"][value="request"]:not(:checked)')?.click()
  focusPlace(`${place}.content`, "") || focusPlace(place, "")
}

// In the capture phase: a press of a button that has been added is no request any more.
document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest?.("[data-goes-to]")
    if (!button) return
    event.preventDefault()
    event.stopImmediatePropagation()
    show(button.dataset.goesTo)
  },
  { capture: true },
)

// From the log the page comes with the new message already in its form; the address says where it is.
const place = decodeURIComponent(location.hash.slice(1))
if (/^messages\[\d+\]$/.test(place)) {
  history.replaceState(history.state, "", location.pathname + location.search)
  comeWith(place)
  setTimeout(() => show(place))
}
