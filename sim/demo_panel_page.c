/* SPDX-License-Identifier: Apache-2.0 */
/* demo_panel_page.c: the panel's page: plain HTML, a style and a script, no framework. */
#include <stddef.h>

#include "sim/demo_panel.h"

static const char page[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Paddock demo: the world</title>\n<link rel=\"stylesheet\" href=\"/panel.css\">\n"
    "<main>\n<h1>The world of the demo</h1>\n"
    "<p id=\"where\">…</p>\n"
    "<p>What you do here happens to the city. Watch on the <a id=\"control\" href=\"#\">control room's</a> and the\n"
    "<a id=\"rider\" href=\"#\">rider's</a> page what people are told.</p>\n"
    "<p id=\"said\" role=\"status\" aria-live=\"polite\"></p>\n"
    "<section aria-labelledby=\"h-cut\">\n<h2 id=\"h-cut\">Cut the network of a district</h2>\n"
    "<form id=\"cut\">\n"
    "<label>Latitude <input name=\"lat\" inputmode=\"decimal\" required></label>\n"
    "<label>Longitude <input name=\"lon\" inputmode=\"decimal\" required></label>\n"
    "<label>Radius, metres <input name=\"radius_m\" type=\"number\" min=\"20\" max=\"20000\" value=\"700\" required></label>\n"
    "<label>For, seconds <input name=\"for_s\" type=\"number\" min=\"1\" max=\"86400\" value=\"60\" required></label>\n"
    "<button>Cut it off</button> <button type=\"button\" id=\"mend\">Mend all</button>\n</form>\n"
    "<ul id=\"districts\"></ul>\n</section>\n"
    "<section aria-labelledby=\"h-ack\">\n<h2 id=\"h-ack\">Lose one acknowledgement</h2>\n"
    "<form id=\"ack\">\n<label>Of vehicle <input name=\"vehicle\" placeholder=\"whichever is next\"></label>\n"
    "<button>Lose it</button>\n</form>\n<p id=\"acks\"></p>\n</section>\n"
    "<section aria-labelledby=\"h-kill\">\n<h2 id=\"h-kill\">Kill the server</h2>\n"
    "<p>As <code>kill -9</code> does: no handler runs. The demo starts it again on the same data.</p>\n"
    "<form id=\"kill\"><button class=\"danger\">Kill it</button></form>\n<p id=\"server\"></p>\n</section>\n"
    "<section aria-labelledby=\"h-codes\">\n<h2 id=\"h-codes\">Codes to sign in</h2>\n"
    "<p>Nobody here has a phone: what would be sent to one is shown.</p>\n<ul id=\"codes\"></ul>\n</section>\n"
    "<section aria-labelledby=\"h-news\">\n<h2 id=\"h-news\">What happens</h2>\n<ul id=\"news\"></ul>\n</section>\n"
    "</main>\n<script src=\"/panel.js\"></script>\n</html>\n";

static const char style[] =
    ":root { color-scheme: light dark; --line: #8886; --bad: #b3261e; }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }\n"
    "main { max-width: 44rem; margin: 0 auto; padding: 1rem; }\n"
    "section { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }\n"
    "h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; }\n"
    "form { display: flex; flex-wrap: wrap; gap: .6rem; align-items: end; }\n"
    "label { display: grid; font-size: .85rem; }\n"
    "input { font: inherit; padding: .4rem; width: 9rem; }\n"
    "button { font: inherit; padding: .45rem 1rem; cursor: pointer; }\n"
    ".danger { background: var(--bad); color: #fff; border: 1px solid var(--bad); border-radius: 4px; }\n"
    ":focus-visible { outline: 3px solid #2f6fed; outline-offset: 2px; }\n"
    "#said { min-height: 1.5em; font-weight: 600; }\n"
    "ul { padding-left: 1.2rem; }\n";

static const char script[] =
    "'use strict';\n"
    "const at = id => document.getElementById(id);\n"
    "const list = (id, lines) => {\n"
    "  const text = lines.join('\\n');\n"
    "  if (at(id).dataset.text === text) return;\n"
    "  at(id).dataset.text = text;\n"
    "  at(id).replaceChildren(...lines.map(line => Object.assign(document.createElement('li'), { textContent: line })));\n"
    "};\n"
    "const say = text => { at('said').textContent = text; };\n"
    "async function post(path, body) {\n"
    "  const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' },\n"
    "    body: body ? JSON.stringify(body) : undefined });\n"
    "  const said = await answer.json();\n"
    "  if (!answer.ok) throw new Error(said.detail || said.title);\n"
    "  return said;\n"
    "}\n"
    "function on(id, event, act) {\n"
    "  at(id).addEventListener(event, async e => {\n"
    "    e.preventDefault();\n"
    "    try { say(await act(new FormData(at(id).tagName === 'FORM' ? at(id) : undefined))); look(); }\n"
    "    catch (error) { say('Not done: ' + error.message); }\n"
    "  });\n"
    "}\n"
    "on('cut', 'submit', async form => {\n"
    "  const said = await post('/district', Object.fromEntries([...form].map(([k, v]) => [k, Number(v)])));\n"
    "  return `${said.vehicles} vehicles have no network for ${said.for_s} s.`;\n"
    "});\n"
    "on('mend', 'click', async () => { await post('/mend'); return 'The network is everywhere again.'; });\n"
    "on('ack', 'submit', async form => {\n"
    "  const vehicle = form.get('vehicle').trim();\n"
    "  await post('/lose-ack', vehicle ? { vehicle } : {});\n"
    "  return 'The next lock report will be lost once.';\n"
    "});\n"
    "on('kill', 'submit', async () => { await post('/kill'); return 'The server was killed.'; });\n"
    "let placed = false;\n"
    "async function look() {\n"
    "  try {\n"
    "    const s = await (await fetch('/state')).json();\n"
    "    if (!s.city) return;\n"
    "    if (!placed) {\n"
    "      placed = true;\n"
    "      document.querySelector('[name=lat]').value = s.city.lat;\n"
    "      document.querySelector('[name=lon]').value = s.city.lon;\n"
    "      at('control').href = s.http + '/control/';\n"
    "      at('rider').href = s.http + '/rider/';\n"
    "    }\n"
    "    at('where').textContent = `${s.city.name}, ${s.time}; riders live as at ${s.riders_time}. ${s.vehicles} vehicles, `\n"
    "      + `${s.connected} connected, ${s.without_network} without network; ${s.riding} ridden.`;\n"
    "    list('districts', s.districts.map(d => `${d.lat}, ${d.lon}: ${d.radius_m} m, ${d.left_s} s more`));\n"
    "    at('acks').textContent = `${s.acks_lost} lost so far, ${s.acks_to_lose} still to be lost.`;\n"
    "    at('server').textContent = (s.server.up ? 'It is up' : 'It is down, starting again')\n"
    "      + (s.server.restarts ? `; it ${s.server.how}, and was back in ${(s.server.down_ms / 1000).toFixed(1)} s.` : '.');\n"
    "    list('news', s.news);\n"
    "    const codes = (await (await fetch('/codes')).json()).codes;\n"
    "    list('codes', codes.length ? codes.map(c => `${c.code} for ${c.to}`) : ['none yet']);\n"
    "  } catch (error) { say('The demo does not answer.'); }\n"
    "}\n"
    "look();\n"
    "setInterval(look, 1000);\n";

const struct demo_panel_file *demo_panel_file(struct bytes path)
{
    static const struct demo_panel_file files[] = {
        {"/", "text/html; charset=utf-8", page},
        {"/panel.css", "text/css; charset=utf-8", style},
        {"/panel.js", "text/javascript; charset=utf-8", script},
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (bytes_equal_text(path, files[i].path)) return &files[i];
    }
    return NULL;
}
