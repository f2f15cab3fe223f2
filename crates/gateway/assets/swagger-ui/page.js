// Draws the OpenAPI document of the node that served the page: groups of calls that open to their details.

import { language, words } from '/swagger-ui/words.js';

const METHODS = ['get', 'post', 'delete'];
const byId = (id) => document.getElementById(id);

document.documentElement.lang = language;
byId('search-label').textContent = words.search;

try {
  const response = await fetch('/v3/api-docs');
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  show(await response.json());
} catch (error) {
  byId('count').textContent = words.failed(error.message);
}

function show(api) {
  byId('title').textContent = `${api.info.title} REST ${api.info.version}`;
  byId('about').replaceChildren(...said(api.info.description));
  const calls = Object.entries(api.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in methods).map((method) => ({ path, method, ...methods[method] })),
  );
  byId('groups').replaceChildren(...[...grouped(calls)].map(([tag, members]) => group(api, tag, members)));
  const filter = () => narrow(byId('search').value.trim().toLowerCase(), calls.length);
  byId('search').addEventListener('input', filter);
  filter();
}

function grouped(calls) {
  const groups = new Map();
  for (const call of calls) groups.set(call.tags[0], [...(groups.get(call.tags[0]) ?? []), call]);
  return groups;
}

function narrow(wanted, all) {
  let shown = 0;
  for (const section of document.querySelectorAll('.group')) {
    let any = false;
    for (const call of section.querySelectorAll('.call')) {
      call.hidden = !call.dataset.text.includes(wanted);
      any ||= !call.hidden;
      shown += call.hidden ? 0 : 1;
    }
    section.hidden = !any;
  }
  byId('count').textContent = words.count(shown, all);
}

function group(api, tag, calls) {
  const heading = element('h2', { id: `group-${tag}` }, tag);
  return element('section', { class: 'group', 'aria-labelledby': heading.id }, heading, ...calls.map((call) => card(api, call)));
}

function card(api, call) {
  const summary = element(
    'summary',
    {},
    element('span', { class: `method ${call.method}` }, call.method.toUpperCase()),
    element('code', {}, call.path),
    call.deprecated ? element('span', { class: 'note' }, words.deprecated) : '',
    element('span', { class: 'about' }, call.summary),
  );
  const text = `${call.method} ${call.path} ${call.summary} ${call.description ?? ''}`.toLowerCase();
  const content = [element('p', {}, ...said(call.description ?? '')), inputs(call), answers(api, call), example(call)];
  return element('details', { class: 'call', 'data-text': text }, summary, element('div', { class: 'inside' }, ...content));
}

function inputs(call) {
  const rows = (call.parameters ?? []).map((it) =>
    row(it.name, it.schema, it.required, ...said(`${it.in === 'path' ? words.inPath : words.inQuery}. ${it.description}`)),
  );
  const schema = call.requestBody?.content['application/json'].schema;
  const object = schema?.anyOf?.[0] ?? schema;
  const isRequired = (name) => !schema.anyOf && object.required?.includes(name);
  const fields = Object.entries(object?.properties ?? {}).map(([name, it]) => row(name, it, isRequired(name)));
  return element('div', {}, table(words.parameters, rows), table(words.body, fields));
}

function row(name, schema, required, ...about) {
  const kind = schema.enum ? schema.enum.join(' | ') : schema.type;
  return [[element('code', {}, name)], [`${kind}${required ? `, ${words.required}` : ''}`], about];
}

function answers(api, call) {
  const rows = Object.entries(call.responses).map(([status, it]) => [[status], said(resolved(api, it).description)]);
  return table(words.answers, rows);
}

function resolved(api, it) {
  return it.$ref ? it.$ref.slice(2).split('/').reduce((place, key) => place[key], api) : it;
}

function example(call) {
  const query = (call.parameters ?? []).filter((it) => it.in === 'query' && it.required).map((it) => `${it.name}=true`);
  const url = `${location.origin}${call.path}${query.length ? `?${query.join('&')}` : ''}`;
  const body = call.requestBody ? ` \\\n  -H 'Content-Type: application/json' -d '{…}'` : '';
  const method = call.method === 'get' ? '' : ` -X ${call.method.toUpperCase()}`;
  const text = `curl${method} -H "Authorization: Bearer $TOKEN" '${url}'${body}`;
  return element('div', {}, element('h3', {}, words.example), element('pre', { tabindex: '0' }, text));
}

function table(title, rows) {
  if (rows.length === 0) return '';
  const body = rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, ...cell))));
  return element('table', {}, element('caption', {}, title), element('tbody', {}, ...body));
}

/** A text with its words in backticks set as code. */
function said(text) {
  return text.split('`').map((part, place) => (place % 2 === 1 ? element('code', {}, part) : part));
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
