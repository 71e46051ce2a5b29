'use strict';
// What stands in words beside the drawing. Values of the picture come from outside: they enter the page as text only.

const picture = JSON.parse(document.getElementById('picture').textContent);

const panel = (() => {
  const SHAPES = {
    'image': 'round', 'snapshot': 'cut', 'volume': 'barrel', 'instance': 'pill', 'launch-template': 'tag',
    'launch-configuration': 'tag', 'parameter': 'slant', 'auto-scaling-group': 'hexagon', 'fleet': 'hexagon',
    'object': 'bowl', 'recipe': 'scroll', 'consumer': 'scroll', 'external': 'waist', 'principal': 'waist',
  };
  const STANDINGS = [
    ['approved', 'approved'], ['usable', 'can be used: available, running …'],
    ['passing', 'not now: pending, stopped …'], ['held', 'held: disabled, quarantined …'],
    ['gone', 'gone: deregistered, terminated …'], ['unknown', 'state not known'],
  ];
  const VERDICTS = {
    verified: ['verified', 'the content is the parent’s'],
    unverified: ['unverified', 'somebody could have written on the way'],
    foreign: ['foreign', 'it came from where AWS does not look'],
    reference: ['reference', 'would start machines from it, or points at it'],
  };
  const MOST = 100; // neighbours listed of one thing; the rest is counted

  const parents = picture.nodes.map(() => []);
  const children = picture.nodes.map(() => []);
  picture.edges.forEach((edge, number) => {
    parents[edge.child].push(number);
    children[edge.parent].push(number);
  });

  function el(tag, settings, ...inside) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(settings || {})) {
      if (name === 'class') made.className = value;
      else if (name === 'click') made.addEventListener('click', value);
      else made.setAttribute(name, value);
    }
    made.append(...inside.filter((each) => each !== null && each !== ''));
    return made;
  }

  // A value from outside: kept apart from the text around it, whichever way it is written.
  const said = (value) => el('bdi', {}, String(value));
  const known = (value) => (value === '' ? el('span', { class: 'soft' }, 'not known') : said(value));
  const many = (count, one, more) => `${count.toLocaleString('en')} ${count === 1 ? one : more}`;

  function table(rows) {
    return el('table', {}, el('tbody', {}, ...rows.map(([name, value]) => el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, value)))));
  }

  function proof(number) {
    const [time, source, confidence, actor, account, region, event] = picture.evidence[number];
    return [
      el('td', {}, time, el('small', {}, `${source}, ${confidence}`)),
      el('td', {}, actor ? said(actor) : el('span', { class: 'soft' }, 'actor not told'),
        el('small', {}, 'in ', said(account), ' ', said(region)), el('small', {}, 'event ', said(event))),
    ];
  }

  function proofs(numbers) {
    if (!numbers.length) return el('p', { class: 'soft' }, 'none is given');
    const head = el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'When, by which source'), el('th', { scope: 'col' }, 'By whom, where, event')));
    return el('table', { class: 'evidence' }, head, el('tbody', {}, ...numbers.map((each) => el('tr', {}, ...proof(each)))));
  }

  function verdict(edge) {
    return el('span', { class: 'row' }, el('span', { class: `line ${edge.verdict}` }), `${VERDICTS[edge.verdict][0]}: ${edge.why || VERDICTS[edge.verdict][1]}`);
  }

  function nodeButton(number, go) {
    const node = picture.nodes[number];
    return el('button', { type: 'button', class: 'go', click: () => go.node(number) }, said(node.label), el('small', {}, `${node.kind} in `, known(node.account), ' ', said(node.region)));
  }

  function neighbours(title, numbers, other, go) {
    if (!numbers.length) return [];
    const listed = numbers.slice(0, MOST).map((number) => {
      const edge = picture.edges[number];
      const mark = el('span', { class: `line ${edge.verdict}` });
      const way = el('button', { type: 'button', class: 'go way row', click: () => go.edge(number) }, mark, `${edge.says}: ${VERDICTS[edge.verdict][0]}`);
      return el('div', { class: 'hop' }, way, nodeButton(edge[other], go));
    });
    if (numbers.length > MOST) listed.push(el('p', { class: 'soft' }, `and ${many(numbers.length - MOST, 'other', 'others')}: search finds them`));
    return [el('h3', {}, `${title} (${numbers.length.toLocaleString('en')})`), ...listed];
  }

  function place(node) {
    if (node.level === 0) return 'it was asked about, or is the same content';
    return `${many(Math.abs(node.level), 'hop', 'hops')} ${node.level < 0 ? 'above: an ancestor' : 'below: came of it, or uses it'}`;
  }

  function notes(node) {
    const found = [];
    if (!node.known) found.push(['Known', 'only by name: nothing was seen of it alone']);
    if (node.formerly) found.push(['Formerly', 'it held the content once, and does not at the time asked about']);
    if (node.more) found.push(['More', 'there is more beyond it: the question’s bound was hit']);
    return found;
  }

  function show(...inside) {
    const facts = document.getElementById('facts');
    facts.replaceChildren(...inside);
    facts.scrollTop = 0;
  }

  function showNode(number, go) {
    const node = picture.nodes[number];
    const attributes = node.said.map(([name, value, evidence]) => {
      const [time, source, confidence, actor, , , event] = picture.evidence[evidence];
      return [said(name), el('div', {}, value === '' ? el('span', { class: 'soft' }, 'empty') : said(value),
        el('small', {}, `${time}, ${source}, ${confidence}`), el('small', {}, actor ? said(actor) : 'actor not told', ' · event ', said(event)))];
    });
    show(
      el('h2', {}, said(node.label)),
      table([
        ['Kind', node.kind], ['State', known(node.state)], ['Account', known(node.account)], ['Region', known(node.region)],
        ['Owner', known(node.owner)], ['Place', place(node)], ...notes(node), ['Key', said(node.key)],
      ]),
      ...neighbours('It comes from, or uses', parents[number], 'parent', go),
      ...neighbours('What came of it, or uses it', children[number], 'child', go),
      el('h3', {}, `What is said of it (${attributes.length})`),
      attributes.length ? table(attributes) : el('p', { class: 'soft' }, 'nothing'),
    );
  }

  function showEdge(number, go) {
    const edge = picture.edges[number];
    show(
      el('h2', {}, 'A hop of descent'),
      nodeButton(edge.child, go), el('p', {}, `… ${edge.says} …`), nodeButton(edge.parent, go),
      verdict(edge),
      table([['Relation', said(edge.relation)]]),
      el('h3', {}, `Evidence (${edge.proofs.length})`), proofs(edge.proofs),
    );
  }

  function showNothing() {
    show(
      el('h2', {}, 'Facts'),
      el('p', { class: 'soft' }, 'Choose a thing or a line to see all that is known of it, and by which evidence.'),
    );
  }

  function legend(onFilter) {
    const counts = new Map();
    picture.nodes.forEach((node) => counts.set(node.kind, (counts.get(node.kind) || 0) + 1));
    const kinds = [...counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([kind, count]) => {
      const box = el('input', { type: 'checkbox', value: kind });
      box.checked = true;
      box.addEventListener('change', () => onFilter(kind, box.checked));
      return el('label', { class: 'row' }, box, el('span', { class: `swatch ${shape(kind)}` }), kind, el('span', { class: 'many' }, count.toLocaleString('en')));
    });
    const row = (mark, text) => el('div', { class: 'row' }, el('span', { class: mark }), text);
    const states = STANDINGS.filter(([name]) => picture.nodes.some((node) => node.known && node.standing === name));
    const verdicts = Object.keys(VERDICTS).filter((name) => picture.edges.some((edge) => edge.verdict === name));
    document.getElementById('legend').replaceChildren(
      el('h3', {}, 'Kinds (shape): show or hide'), ...kinds,
      el('h3', {}, 'State (colour)'), row('swatch state asked', 'asked about'),
      ...states.map(([name, text]) => row(`swatch state ${name}`, text)),
      ...(picture.nodes.some((node) => !node.known) ? [row('swatch state stub', 'known by name only')] : []),
      ...(picture.nodes.some((node) => node.formerly) ? [row('swatch state usable formerly', 'faint: held the content once')] : []),
      el('h3', {}, 'Descent (line)'), el('p', {}, 'An arrow points from a thing to what it comes from.'),
      ...verdicts.map((name) => row(`line ${name}`, `${VERDICTS[name][0]}: ${VERDICTS[name][1]}`)),
    );
  }

  function completeness() {
    const section = document.getElementById('completeness');
    section.className = picture.complete ? 'complete' : 'incomplete';
    if (picture.complete) {
      section.append('✓ Complete, as far as is known.');
      return;
    }
    const reasons = picture.reasons.map(([why, about, says]) => el('li', {}, `${why}: `, said(says), about ? ' — ' : '', about ? el('code', {}, said(about)) : ''));
    const details = el('details', {}, el('summary', {}, `⚠ Incomplete: something may be missing or not so (${many(reasons.length, 'reason', 'reasons')})`), el('ul', {}, ...reasons));
    details.open = reasons.length <= 5;
    section.append(details);
  }

  const shape = (kind) => SHAPES[kind] || 'box';
  const counts = () => `${many(picture.nodes.length, 'thing', 'things')}, ${many(picture.edges.length, 'hop', 'hops')}`;

  return { parents, children, shape, counts, legend, completeness, showNode, showEdge, showNothing };
})();
