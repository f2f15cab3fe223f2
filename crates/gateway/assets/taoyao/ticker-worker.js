// Ticks from a worker: browsers slow the timers of hidden pages down to one a minute, but not a worker's.

onmessage = ({ data: periodMs }) => setInterval(() => postMessage(null), periodMs);
