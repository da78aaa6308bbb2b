// Ask again and again while the page is looked at.

export function every(ms, work) {
  let stopped = false, timer = null;
  const abort = new AbortController();
  async function turn() {
    if (!document.hidden) await work(abort.signal);
    if (!stopped) timer = setTimeout(turn, ms);
  }
  turn();
  return () => { stopped = true; clearTimeout(timer); abort.abort(); };
}
