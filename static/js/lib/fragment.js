// The one place where HTML from the server becomes elements. What comes here was escaped or sanitised by a template.
// Parsed in a document of its own, where nothing runs or loads; scripts would stay dead even so.

import { afterPress } from "./press.js"

const parser = new DOMParser()

/** The server's HTML as a fragment of this document. */
export function toFragment(html) {
  const { body } = parser.parseFromString(html, "text/html")
  const fragment = document.createDocumentFragment()
  fragment.append(...body.childNodes)
  return fragment
}

/** Put server HTML in place of all that is in `element`, and let htmx and the other scripts see it. */
export function fill(element, html) {
  element.replaceChildren(toFragment(html))
  awaken(element)
}

/** Put server HTML in place of `element`; returns the new element. */
export function swap(element, html) {
  const fragment = toFragment(html)
  const fresh = fragment.firstElementChild
  element.replaceWith(fragment)
  if (fresh) awaken(fresh)
  return fresh
}

function awaken(element) {
  window.htmx?.process(element)
  element.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: element } }))
}

/** Which saved conversation this page is of, for the server: each has a draft of its own. */
export function pageHeaders() {
  const { conversation } = document.documentElement.dataset
  return conversation ? { "X-Conversation": conversation } : {}
}

/** Post to an address of ours and return its status. Throws when it cannot be reached. */
export async function postTo(address) {
  const headers = { "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"], ...pageHeaders() }
  return (await fetch(address, { method: "POST", headers, credentials: "same-origin" })).status
}

/** Fetch a part of a page. Throws with the status for an answer that is not the part. */
export async function fetchPart(address) {
  const response = await fetch(address, { headers: { "HX-Request": "true", ...pageHeaders() }, credentials: "same-origin" })
  if (!response.ok) throw Object.assign(new Error(`HTTP ${response.status}`), { status: response.status })
  const html = await response.text()
  return afterPress(() => html)
}
