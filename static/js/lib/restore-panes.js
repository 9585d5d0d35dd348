// Before the page is drawn: the width of the form, and whether it is folded, as the reader left them in this browser.
{
  const root = document.documentElement
  const width = Number(localStorage.getItem("form-width"))
  if (width >= 320 && width <= 720) root.style.setProperty("--form", `${width}px`)
  root.toggleAttribute("data-folded", localStorage.getItem("form-folded") !== null)
}
