// When a request was sent, turns may have a sibling more: "2 of 3". The request panel itself is not drawn again for that.

import { fetchPart, swap, toFragment } from "./fragment.js"

async function refresh() {
  const panel = document.querySelector("[data-branches]")
  if (!panel) return
  const fresh = toFragment(await fetchPart(panel.dataset.branches))
  for (const element of fresh.querySelectorAll("[data-branch]")) {
    const old = document.querySelector(`#ask [data-branch="${element.dataset.branch}"]`)
    if (old && old.textContent.trim() !== element.textContent.trim()) swap(old, element.outerHTML)
  }
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.pathInfo?.requestPath === "/send") refresh().catch(() => {})
})
