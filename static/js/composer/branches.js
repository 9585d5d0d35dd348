// Branches of the request: going to one, and "2 of 3" on turns that have siblings since the request was sent. The request
// panel itself is not drawn again for that.

import { fetchPart, swap, toFragment } from "../lib/fragment.js"
import { post, state } from "./form-draft.js"

const ask = document.getElementById("ask")

async function refresh() {
  const fresh = toFragment(await fetchPart(ask.dataset.branchesUrl))
  for (const old of ask.querySelectorAll("[data-branch]")) {
    const now = fresh.querySelector(`[data-branch="${old.dataset.branch}"]`)
    if (now ? now.outerHTML !== old.outerHTML : old.childElementCount) replaceSwitch(old, now)
  }
  const [note, fit] = [document.getElementById("branch-note"), fresh.querySelector("#branch-note")]
  if (note && fit && note.outerHTML !== fit.outerHTML) swap(note, fit.outerHTML)
}

function replaceSwitch(old, now) {
  if (now) swap(old, now.outerHTML)
  else old.replaceChildren()
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const { requestPath = "" } = detail.pathInfo ?? {}
  if (detail.successful && (requestPath === `${document.documentElement.dataset.root}send` || requestPath.endsWith("/results/"))) refresh().catch(() => {})
})

ask.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-to-branch]")
  if (!button) return
  const turn = button.closest("[data-branch]")?.dataset.branch
  const { way } = button.dataset
  await post(ask.dataset.branchUrl, { ":branch": button.dataset.toBranch, ":mode": state().mode }, { target: "#ask", swap: "innerHTML" })
  focusSwitch(turn, way)
})

/** The reader goes on from where they were: on the same button, else on its neighbour, else on the turn that came back. */
function focusSwitch(turn, way) {
  const place = ask.querySelector(`[data-branch="${turn}"]`)
  const found = place?.querySelector(`[data-way="${way}"]`) ?? place?.querySelector("button")
  const last = [...ask.querySelectorAll("fieldset.turn")].at(-1)
  ;(found ?? last)?.focus()
  const words = place?.textContent.trim()
  document.getElementById("form-said").textContent = words ? `Version ${words} of messages[${turn}]` : "Later messages restored."
}
