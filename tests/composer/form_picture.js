// What the request form shows, as plain data: of the page in the browser, and of a copy fetched anew.
// Kept apart from the page's own code on purpose: it only reads what a person would see.
(root) => {
  const picture = { controls: {}, choices: {}, chips: {}, nulls: [], marks: {}, ticks: {}, items: {} }
  for (const control of root.querySelectorAll("#ask [data-control]")) {
    if (control.name.startsWith(":")) continue
    const shown = { value: control.type === "checkbox" ? control.checked : control.value }
    if (control.type === "checkbox") shown.off = control.dataset.off ?? ""
    if (control.placeholder) shown.placeholder = control.value === "" ? control.placeholder : ""
    picture.controls[control.name] = shown
  }
  for (const choice of root.querySelectorAll("#ask [data-op-choice]")) {
    if (choice.type === "radio" && !choice.checked) continue
    const shown = choice.dataset.opChoice === "ttl" ? picture.marks : picture.choices
    shown[choice.dataset.path] = choice.value
  }
  for (const list of root.querySelectorAll("#ask [data-chips]")) {
    picture.chips[list.dataset.chips] = [...list.querySelectorAll(".chip > span")].map((chip) => chip.textContent)
  }
  for (const tag of root.querySelectorAll("#ask [data-null]")) picture.nulls.push(tag.dataset.null)
  for (const param of root.querySelectorAll("#ask [data-param]")) {
    picture.ticks[param.dataset.param] = param.hasAttribute("data-set")
  }
  for (const list of root.querySelectorAll("#ask [data-list]")) {
    picture.items[list.dataset.list] = [...list.children].filter((child) => child.dataset.place).map((child) => child.dataset.place)
  }
  picture.nulls.sort()
  return picture
}
