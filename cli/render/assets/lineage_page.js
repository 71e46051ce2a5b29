'use strict';
// The drawing: cytoscape draws and finds what is under the pointer; where things stand was computed beforehand.

(() => {
  const LARGE = 400; // from so many things on, looks give way to speed
  const WORDY = 80; // up to so many hops, each says what it is
  const large = picture.nodes.length >= LARGE;
  const get = (id) => document.getElementById(id);
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  // Wide enough for words: (x, y) from -1 to 1. The stylesheet has the same for the legend.
  const POLYGONS = {
    cut: [-0.9, -1, 0.9, -1, 1, -0.4, 1, 0.4, 0.9, 1, -0.9, 1, -1, 0.4, -1, -0.4],
    hexagon: [-0.9, -1, 0.9, -1, 1, 0, 0.9, 1, -0.9, 1, -1, 0],
    tag: [-1, -1, 0.86, -1, 1, 0, 0.86, 1, -1, 1],
    slant: [-0.86, -1, 1, -1, 0.86, 1, -1, 1],
    scroll: [-1, -1, 1, -1, 0.93, 0, 1, 1, -1, 1, -0.93, 0],
    waist: [-1, -1, 0, -0.8, 1, -1, 1, 1, 0, 0.8, -1, 1],
  };
  const BUILT_IN = { round: 'round-rectangle', barrel: 'barrel', pill: 'round-rectangle', bowl: 'bottom-round-rectangle', box: 'rectangle' };

  function style() {
    const root = getComputedStyle(document.documentElement);
    const color = (name) => root.getPropertyValue(`--${name}`).trim();
    const standing = (name, more) => ({
      selector: `node.${name}`, style: { 'background-color': color(`${name}-fill`), 'border-color': color(name), ...more },
    });
    const line = (name, more) => ({
      selector: `edge.${name}`, style: { 'line-color': color(name), 'target-arrow-color': color(name), ...more },
    });
    const said = {
      'label': 'data(says)', 'font-size': 14, 'color': color('soft'), 'min-zoomed-font-size': 7,
      'text-background-color': color('paper'), 'text-background-opacity': 0.9, 'text-background-padding': 2,
    };
    return [
      // Each property costs time for each element: what the library presumes (its font, its size of 16) is left so.
      { selector: 'node', style: {
        'width': picture.size[0], 'height': picture.size[1], 'label': 'data(text)', 'color': color('ink'),
        'min-zoomed-font-size': 6, 'text-wrap': 'wrap', 'text-valign': 'center', 'line-height': 1.15, 'border-width': 3,
      } },
      ...Object.entries(BUILT_IN).map(([name, shape]) => ({ selector: `node.${name}`, style: { shape } })),
      { selector: 'node.pill', style: { 'corner-radius': picture.size[1] / 2 } },
      ...Object.entries(POLYGONS).map(([name, points]) => ({ selector: `node.${name}`, style: { 'shape': 'polygon', 'shape-polygon-points': points } })),
      standing('approved', { 'border-width': 5 }), standing('usable', {}), standing('passing', {}),
      standing('held', { 'border-width': 6 }), standing('gone', { 'border-style': 'dotted', 'color': color('soft') }), standing('unknown', {}),
      { selector: 'node.stub', style: { 'border-style': 'dashed', 'border-color': color('soft'), 'background-color': color('paper'), 'color': color('soft') } },
      { selector: 'node.formerly', style: { 'background-opacity': 0.45, 'border-opacity': 0.6 } },
      { selector: 'node.asked', style: { 'border-style': 'double', 'border-width': 10, 'border-color': color('chosen'), 'font-weight': 'bold' } },
      { selector: 'edge', style: {
        'curve-style': large ? 'straight' : 'bezier', 'target-arrow-shape': 'triangle',
        ...(picture.edges.length <= WORDY ? said : {}),
      } },
      { selector: 'edge[weights]', style: {
        'curve-style': 'round-segments', 'segment-weights': 'data(weights)', 'segment-distances': 'data(distances)',
        'segment-radii': 40, 'edge-distances': 'node-position',
      } },
      line('verified', {}), line('unverified', { 'line-style': 'dashed' }),
      line('foreign', { 'line-style': 'dashed', 'line-dash-pattern': [12, 5, 3, 5], 'width': 6 }),
      line('reference', { 'line-style': 'dotted', 'target-arrow-shape': 'vee' }),
      { selector: '.off', style: { 'display': 'none' } },
      { selector: '.faded', style: { 'opacity': 0.16 } },
      { selector: 'node.hit', style: { 'underlay-color': color('accent'), 'underlay-opacity': 0.3, 'underlay-padding': 7, 'opacity': 1 } },
      { selector: 'node.chosen', style: { 'underlay-color': color('chosen'), 'underlay-opacity': 0.4, 'underlay-padding': 14, 'z-index': 10 } },
      { selector: 'edge.chosen', style: { 'width': 8, 'z-index': 10, ...said, 'color': color('ink') } },
    ];
  }

  const idOf = { node: (number) => `n${number}`, edge: (number) => `e${number}` };
  const elements = [
    ...picture.nodes.map((node, number) => ({
      group: 'nodes', data: { id: idOf.node(number), number, text: node.text },
      position: { x: node.at[0], y: node.at[1] },
      classes: [panel.shape(node.kind), node.known ? node.standing : 'stub', node.formerly ? 'formerly' : '', ...(number === picture.start ? ['asked', 'chosen'] : [])].filter(Boolean),
    })),
    ...picture.edges.map((edge, number) => ({
      group: 'edges', classes: [edge.verdict],
      data: {
        id: idOf.edge(number), number, source: idOf.node(edge.child), target: idOf.node(edge.parent), says: edge.says,
        ...(edge.weights ? { weights: edge.weights.join(' '), distances: edge.distances.join(' ') } : {}),
      },
    })),
  ];

  panel.legend(filter);
  panel.completeness();
  get('counts').textContent = panel.counts();

  const cy = cytoscape({
    container: get('graph'), elements, style: style(), layout: { name: 'preset', fit: false },
    minZoom: 0.02, maxZoom: 3, autoungrabify: true, boxSelectionEnabled: false, selectionType: 'single', autounselectify: true,
    hideEdgesOnViewport: large, textureOnViewport: large, pixelRatio: large ? 1 : 'auto',
  });
  const nodes = picture.nodes.map((_, number) => cy.getElementById(idOf.node(number)));
  const edges = picture.edges.map((_, number) => cy.getElementById(idOf.edge(number)));
  const hidden = new Set();
  fit();
  cy.one('render', () => requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.rendered = String(Math.round(performance.now()));
  })));

  let chosen = { kind: 'node', number: picture.start };

  // Where everything is, is known: the library would have to look at each element.
  function fit() {
    const NEAR = 1;
    const all = picture.nodes.filter((node) => !hidden.has(node.kind));
    if (!all.length) return;
    const side = (axis) => all.reduce(([low, high], { at }) => [Math.min(low, at[axis]), Math.max(high, at[axis])], [Infinity, -Infinity]);
    const [[left, right], [top, bottom]] = [side(0), side(1)];
    const zoom = Math.min(NEAR, cy.width() / (right - left + picture.size[0] + 60), cy.height() / (bottom - top + picture.size[1] + 60));
    cy.viewport({ zoom, pan: { x: cy.width() / 2 - (zoom * (left + right)) / 2, y: cy.height() / 2 - (zoom * (top + bottom)) / 2 } });
  }

  function lineOf(number) {
    const line = { nodes: new Set([number]), edges: new Set() };
    for (const [links, end] of [[panel.parents, 'parent'], [panel.children, 'child']]) {
      const seen = new Set([number]);
      const next = [number];
      while (next.length) {
        for (const edge of links[next.pop()]) {
          const other = picture.edges[edge][end];
          line.edges.add(edge);
          line.nodes.add(other);
          if (!seen.has(other)) {
            seen.add(other);
            next.push(other);
          }
        }
      }
    }
    return line;
  }

  // Give a class to these elements, and to no others.
  function mark(name, elements) {
    const wanted = cy.collection(elements);
    cy.batch(() => {
      cy.elements(`.${name}`).not(wanted).removeClass(name);
      wanted.addClass(name);
    });
  }

  function choose(kind, number, { move = false } = {}) {
    const element = kind && { node: nodes, edge: edges }[kind][number];
    const line = kind === 'node' ? lineOf(number) : null;
    chosen = kind ? { kind, number } : null;
    mark('chosen', kind ? [element] : []);
    mark('faded', line ? [...nodes.filter((_, each) => !line.nodes.has(each)), ...edges.filter((_, each) => !line.edges.has(each))] : []);
    if (kind === 'node') panel.showNode(number, go);
    else if (kind === 'edge') panel.showEdge(number, go);
    else panel.showNothing();
    if (move) centre(element);
  }

  function centre(element) {
    const view = { center: { eles: element }, zoom: Math.max(cy.zoom(), 0.75) };
    cy.stop(true);
    if (large || calm.matches) {
      cy.zoom(view.zoom);
      cy.center(element);
    } else cy.animate(view, { duration: 200 });
  }

  const go = {
    node: (number) => { uncover(number); choose('node', number, { move: true }); },
    edge: (number) => choose('edge', number, { move: true }),
  };

  cy.on('tap', (event) => {
    if (event.target === cy) choose(null);
    else choose(event.target.isNode() ? 'node' : 'edge', event.target.data('number'));
  });

  // Filter by kind ------------------------------------------------------------------------------------------------
  function filter(kind, shown) {
    if (shown) hidden.delete(kind);
    else hidden.add(kind);
    mark('off', nodes.filter((_, number) => hidden.has(picture.nodes[number].kind)));
    search();
  }

  function uncover(number) {
    const { kind } = picture.nodes[number];
    if (!hidden.has(kind)) return;
    document.querySelectorAll('#legend input').forEach((box) => { if (box.value === kind) box.checked = true; });
    filter(kind, true);
  }

  // Search --------------------------------------------------------------------------------------------------------
  const texts = picture.nodes.map((node) => [node.key, node.label, node.account, node.owner].join('\n').toLowerCase());
  let hits = [];
  let at = -1;

  function search() {
    const query = get('query').value.trim().toLowerCase();
    hits = query ? picture.nodes.keys().toArray().filter((number) => texts[number].includes(query) && !hidden.has(picture.nodes[number].kind)) : [];
    at = -1;
    mark('hit', hits.map((number) => nodes[number]));
    get('hits').textContent = query ? (hits.length ? `${hits.length.toLocaleString('en')} found` : 'none found') : '';
  }

  function nextHit(step) {
    if (!hits.length) return;
    at = at < 0 && step < 0 ? hits.length - 1 : (at + step + hits.length) % hits.length;
    get('hits').textContent = `${at + 1} of ${hits.length.toLocaleString('en')}`;
    choose('node', hits[at], { move: true });
  }

  get('query').addEventListener('input', search);
  get('query').addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      event.preventDefault();
      nextHit(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape') {
      get('query').value = '';
      search();
      get('graph').focus();
    }
  });
  get('search').addEventListener('submit', (event) => event.preventDefault());

  // Keyboard and buttons ------------------------------------------------------------------------------------------
  const byPlace = (one, other) => picture.nodes[one].at[0] - picture.nodes[other].at[0] || one - other;
  const shown = (number) => !hidden.has(picture.nodes[number].kind);

  function towards(links, end) {
    const x = picture.nodes[chosen.number].at[0];
    const far = (number) => Math.abs(picture.nodes[number].at[0] - x);
    return links[chosen.number].map((edge) => picture.edges[edge][end]).filter(shown).sort((one, other) => far(one) - far(other) || byPlace(one, other))[0];
  }

  function beside(step) {
    const y = picture.nodes[chosen.number].at[1];
    const row = picture.nodes.keys().toArray().filter((number) => picture.nodes[number].at[1] === y && shown(number)).sort(byPlace);
    return row[row.indexOf(chosen.number) + step];
  }

  const moves = {
    ArrowUp: () => towards(panel.parents, 'parent'), ArrowDown: () => towards(panel.children, 'child'),
    ArrowLeft: () => beside(-1), ArrowRight: () => beside(1),
  };
  const zoom = (factor) => cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  const actions = {
    'Home': () => go.node(picture.start), 'Escape': () => choose(null), 'Enter': () => get('facts').focus(),
    '+': () => zoom(1.3), '=': () => zoom(1.3), '-': () => zoom(1 / 1.3), '0': fit,
  };

  get('graph').addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key];
    if (move) {
      const next = chosen && chosen.kind === 'node' ? move() : picture.start;
      if (next !== undefined) go.node(next);
    } else if (actions[event.key]) actions[event.key]();
    else return;
    event.preventDefault();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== get('query')) {
      event.preventDefault();
      get('query').focus();
    }
  });
  get('facts').addEventListener('keydown', (event) => { if (event.key === 'Escape') get('graph').focus(); });
  get('fit').addEventListener('click', fit);
  get('home').addEventListener('click', actions.Home);
  get('larger').addEventListener('click', actions['+']);
  get('smaller').addEventListener('click', actions['-']);

  panel.showNode(picture.start, go);

  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => cy.style(style()));
  window.addEventListener('resize', () => cy.resize());

  // For scripts that look at the page from outside: where a thing is drawn, in pixels of the window.
  window.lineage = {
    cy,
    drawn: (id) => {
      const element = cy.getElementById(id);
      const point = element.isNode() ? element.renderedPosition() : element.renderedMidpoint();
      const box = get('graph').getBoundingClientRect();
      return { x: box.left + point.x, y: box.top + point.y };
    },
  };
})();
