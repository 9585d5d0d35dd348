// The list of keyboard shortcuts, fetched when it is asked for.

import { fetchPart, toFragment } from "../lib/fragment.js"

export async function showShortcuts() {
  let dialog = document.getElementById("shortcuts")
  if (!dialog) {
    const fragment = toFragment(await fetchPart(`${document.documentElement.dataset.root}shortcuts/`))
    dialog = fragment.firstElementChild
    if (document.getElementById("shortcuts")) return
    document.body.append(dialog)
  }
  if (!dialog.open) dialog.showModal()
}
