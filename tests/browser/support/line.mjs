// Connections of a page that a test can cut, as a bad line does.

/**
 * Routes the page's connections to nodes.
 *
 * @param {import('playwright-core').Page} page
 * @param {(text: string) => string} [spoil] what becomes of what the page says
 * @returns {Promise<(() => void)[]>} one cut for every connection that was made, in their order; it grows
 */
export async function makeCuttable(page, spoil = (text) => text) {
  const cuts = [];
  await page.routeWebSocket(/websocket\.signal/, (socket) => {
    const node = socket.connectToServer();
    socket.onMessage((text) => node.send(spoil(text)));
    node.onMessage((text) => socket.send(text));
    cuts.push(() => {
      node.close();
      socket.close({ code: 1001 });
    });
  });
  return cuts;
}

/** Makes every ticket unknown, so that a node does not take the terminal back as it was. */
export function spoilTicket(text) {
  return text.replace(/"ticket":"[^"]*"/, '"ticket":"0.0"');
}
