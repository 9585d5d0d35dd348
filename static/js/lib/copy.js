// Copies code and answers. The button says that it did.

import { fetchPart } from "./fragment.js"

async function put(button, text) {
  const words = button.textContent
  try {
    await navigator.clipboard.writeText(text)
    button.textContent = "Copied"
  } catch {
    button.textContent = "Not allowed"
  }
  setTimeout(() => { button.textContent = words }, 1_500)
}

export function copyCode(button) {
  put(button, button.closest(".codebox").querySelector("code").textContent)
}

export async function copyAnswer(button, panel) {
  const { copyAnswer: how } = button.dataset
  const address = panel.dataset.panel
  if (how === "text" || !address) {
    const texts = [...panel.querySelectorAll('[data-blocks] > [data-kind="text"] [data-parts]')]
    return put(button, texts.map((element) => element.innerText).join("\n\n"))
  }
  put(button, await fetchPart(how === "json" ? `${address}json/?raw` : `${address}text/`))
}
