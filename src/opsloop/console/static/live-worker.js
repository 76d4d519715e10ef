// @ts-check
// One stream for all tabs. A tab says every 20 seconds what it wants to hear; one that is silent for a minute is gone.

/** @type {Map<MessagePort, {topics: string[], seen: number}>} */
const tabs = new Map();
/** @type {Map<string, object>} */
const newest = new Map();
/** @type {EventSource | null} */
let source = null;
let listening = "";

/** @param {object} data */
function tell(data) {
  for (const [port, tab] of tabs) {
    const topic = /** @type {{message?: {topic: string}}} */ (data).message?.topic;
    if (!topic || tab.topics.includes(topic)) port.postMessage(data);
  }
}

function listen() {
  const wanted = [...new Set([...tabs.values()].flatMap((tab) => tab.topics))].sort().join(",");
  if (wanted === listening && source?.readyState !== EventSource.CLOSED) return;
  source?.close();
  source = null;
  listening = wanted;
  for (const topic of newest.keys()) if (!wanted.split(",").includes(topic)) newest.delete(topic);
  if (!wanted) return;
  source = new EventSource(`/api/events?topics=${encodeURIComponent(wanted)}`);
  source.onopen = () => tell({ connected: true });
  source.onerror = () => tell({ connected: false });
  source.onmessage = (event) => {
    const message = JSON.parse(event.data);
    newest.set(message.topic, message);
    tell({ message });
  };
}

function forget() {
  const now = Date.now();
  for (const [port, tab] of tabs) if (now - tab.seen > 60_000) tabs.delete(port);
  listen();
}

// @ts-ignore: the global of a shared worker
self.onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = (asked) => {
    const topics = asked.data.topics;
    const isNew = !tabs.has(port);
    if (topics.length) tabs.set(port, { topics, seen: Date.now() });
    else tabs.delete(port);
    listen();
    if (isNew && source?.readyState === EventSource.OPEN) {
      port.postMessage({ connected: true });
      for (const topic of topics) if (newest.has(topic)) port.postMessage({ message: newest.get(topic) });
    }
  };
};
setInterval(forget, 15_000);
