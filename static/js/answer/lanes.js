// The overview: one lane for each content block, a tick for each event, to scale.

const namespace = "http://www.w3.org/2000/svg"
const width = 1000
const bins = 500

function rect(attributes) {
  const element = document.createElementNS(namespace, "rect")
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  return element
}

/** The places of the ticks: each event's while they are few, else one for each bin that holds any. */
function ticks(wire, members, total) {
  if (members.length <= bins) return members.map((at) => (wire.at[at] / total) * width)
  const taken = new Uint8Array(bins + 1)
  for (const at of members) taken[Math.floor((wire.at[at] / total) * bins)] = 1
  return [...taken.keys()].filter((bin) => taken[bin]).map((bin) => (bin / bins) * width)
}

/** A place on the axis, in the unit of its end, so that its words differ where the places do. */
const timeOf = (ms, total) => (total < 1000 ? `${ms.toFixed(total < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(total < 100_000 ? 2 : 0)} s`)

export function drawLanes(box, wire) {
  const total = Math.max(1, wire.total)
  const lanes = new Map([[-1, []]])
  for (let at = 0; at < wire.count; at++) {
    const lane = lanes.get(wire.index[at])
    if (lane) lane.push(at)
    else lanes.set(wire.index[at], [at])
  }
  const shown = [...lanes.keys()].sort((a, b) => a - b).slice(0, 24)
  const parts = shown.flatMap((index) => {
    const type = wire.blocks.get(index)
    const label = document.createElement("span")
    label.textContent = index < 0 ? "message" : `${index} ${type ?? ""}`
    const svg = document.createElementNS(namespace, "svg")
    svg.setAttribute("viewBox", `0 0 ${width} 14`)
    svg.setAttribute("preserveAspectRatio", "none")
    svg.setAttribute("aria-hidden", "true")
    const group = document.createElementNS(namespace, "g")
    group.setAttribute("class", wire.kindOfLane(index))
    group.append(...ticks(wire, lanes.get(index), total).map((x) => rect({ class: "tick", x: x.toFixed(1), y: 1, width: 1.2, height: 12 })))
    svg.append(rect({ class: "rail", x: 0, y: 6.5, width, height: 1 }), group, rect({ class: "cursor", x: -10, y: -3, width: 2, height: 20 }))
    return [label, svg]
  })
  const axis = document.createElement("div")
  axis.className = "axis"
  axis.append(...[0, 0.25, 0.5, 0.75, 1].map((part) => Object.assign(document.createElement("span"), { textContent: timeOf(total * part, total) })))
  box.replaceChildren(...parts, document.createElement("span"), axis)
}

export function moveCursor(box, part) {
  for (const cursor of box.querySelectorAll("rect.cursor")) cursor.setAttribute("x", (part * width - 1).toFixed(1))
}
