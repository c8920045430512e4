/* Delivery options, dates and the way to free shipping, before the checkout. One script, no cookies, nothing stored.
   <waybill-estimate endpoint="…/storefront/KEY/estimate" variant="123"> or cart-url="/cart.js" or lines='[…]'. */
(() => {
  'use strict';
  if (customElements.get('waybill-estimate')) return;

  const TEXTS = {
    en: ['Delivery', 'Country', 'Postal code', 'Show', 'Delivery options',
      'Delivery options and prices are shown at the checkout.'],
    sk: ['Doručenie', 'Krajina', 'PSČ', 'Zobraziť', 'Možnosti doručenia',
      'Možnosti a ceny doručenia sa zobrazia pri pokladni.'],
    pl: ['Dostawa', 'Kraj', 'Kod pocztowy', 'Pokaż', 'Opcje dostawy',
      'Opcje i ceny dostawy pojawią się przy kasie.'],
    el: ['Παράδοση', 'Χώρα', 'Ταχυδρομικός κώδικας', 'Εμφάνιση', 'Τρόποι παράδοσης',
      'Οι τρόποι και οι τιμές παράδοσης εμφανίζονται στο ταμείο.'],
    hy: ['Առաքում', 'Երկիր', 'Փոստային դասիչ', 'Ցույց տալ', 'Առաքման տարբերակներ',
      'Առաքման տարբերակներն ու գները կերևան վճարման էջում։'],
    ar: ['التوصيل', 'البلد', 'الرمز البريدي', 'عرض', 'خيارات التوصيل',
      'تظهر خيارات التوصيل وأسعاره عند الدفع.'],
  };
  const NAMES = ['title', 'country', 'postal', 'show', 'options', 'later'];

  const NO_COUNTRIES = 'AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ';

  const STYLE = `
    :host { display: block; contain: content; min-block-size: var(--waybill-height, 23rem); font: inherit;
      color: inherit; text-align: start; }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; margin: 0; }
    section { display: grid; gap: .75rem; padding: 1rem; border: 1px solid; border-radius: .5rem; line-height: 1.4; }
    .title, b, button { font-weight: 600; }
    .way { display: grid; align-content: end; block-size: 3.75rem; }
    .way p { margin-block-end: .375rem; }
    .bar[hidden] { display: block; visibility: hidden; }
    .bar { block-size: .5rem; border-radius: .25rem; border: 1px solid; overflow: hidden; }
    .bar i { display: block; block-size: 100%; inline-size: 0; background: var(--waybill-accent, #1a7f37);
      transition: inline-size .3s; }
    form { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr) auto; gap: .5rem; align-items: end; }
    label { display: grid; gap: .25rem; min-inline-size: 0; font-size: .875em; }
    select, input, button { font: inherit; color: inherit; background: transparent; border: 1px solid;
      border-radius: .375rem; block-size: 2.75rem; padding-inline: .625rem; inline-size: 100%; min-inline-size: 0; }
    option { color: #111; background: #fff; }
    button { inline-size: auto; cursor: pointer; }
    :focus-visible { outline: 3px solid var(--waybill-focus, currentColor); outline-offset: 2px; }
    .out { block-size: var(--waybill-options, 9rem); overflow: auto; }
    ul { list-style: none; padding: 0; display: grid; gap: .5rem; }
    li { display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: .75rem; }
    b { overflow-wrap: anywhere; }
    small { grid-column: 1 / -1; font-size: .875em; }
    .wait { block-size: 1rem; margin-block-end: .75rem; border-radius: .25rem; background: currentColor; opacity: .15;
      animation: wait 1.4s ease-in-out infinite alternate; }
    .said { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%);
      white-space: nowrap; }
    @keyframes wait { to { opacity: .05; } }
    @media (prefers-reduced-motion: reduce) { .wait { animation: none; } .bar i { transition: none; } }
  `;

  const make = (name, fields = {}, ...inside) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(fields)) {
      if (key in made && key !== 'role') made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...inside);
    return made;
  };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  class WaybillEstimate extends HTMLElement {
    static observedAttributes = ['variant', 'sku', 'quantity', 'price', 'lines', 'locale', 'currency', 'country'];

    connectedCallback() {
      if (!this.shadowRoot) this.build();
      this.watch();
    }

    disconnectedCallback() {
      this.ended?.abort();
      this.asking?.abort();
      this.seen?.disconnect();
      this.traffic?.disconnect();
      this.started = false;
    }

    attributeChangedCallback(name, before, after) {
      if (before !== after && this.started) this.soon();
    }

    /* Public: ask again, for a theme that changed the cart by itself. */
    refresh() {
      this.asked = '';
      this.soon();
    }

    get language() {
      const said = (this.getAttribute('locale') || document.documentElement.lang || 'en').toLowerCase();
      return TEXTS[said.split(/[-_]/)[0]] ? said.split(/[-_]/)[0] : 'en';
    }

    say(name) {
      return TEXTS[this.language][NAMES.indexOf(name)];
    }

    build() {
      const root = this.attachShadow({ mode: 'open' });
      const sheet = new CSSStyleSheet(); // A page's rules against inline styles do not meet it.
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.country = make('select', { name: 'country', autocomplete: 'country' }, ...this.countries());
      this.postal = make('input', { name: 'postal', autocomplete: 'postal-code', maxLength: 15, size: 8 });
      this.form = make('form', { noValidate: true },
        make('label', {}, this.say('country'), this.country),
        make('label', {}, this.say('postal'), this.postal),
        make('button', { type: 'submit', textContent: this.say('show') }));
      this.fill = make('i');
      this.bar = make('div', { className: 'bar', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100',
        'aria-labelledby': 'way' }, this.fill);
      this.wayText = make('p', { id: 'way' });
      this.way = make('div', { className: 'way' }, this.wayText, this.bar);
      this.bar.hidden = true;
      this.out = make('div', { className: 'out', role: 'group', 'aria-label': this.say('options') });
      this.said = make('p', { className: 'said', role: 'status' });
      const parts = this.hasAttribute('no-progress') ? [] : [this.way];
      root.append(make('section', { lang: this.language, dir: this.language === 'ar' ? 'rtl' : 'ltr',
        'aria-label': this.say('title') },
      make('p', { className: 'title', textContent: this.say('title'), 'aria-hidden': 'true' }),
      ...parts, this.form, this.out, this.said));
      this.form.addEventListener('submit', (event) => {
        event.preventDefault();
        this.refresh();
      });
      this.country.addEventListener('change', () => this.soon());
    }

    /* Those that the page names, else all that the browser knows. */
    countries() {
      const names = new Intl.DisplayNames([this.language, 'en'], { type: 'region', fallback: 'none' });
      let codes = (this.getAttribute('countries') || '').toUpperCase().match(/[A-Z]{2}/g);
      if (!codes) {
        codes = [];
        for (let at = 0; at < 676; at += 1) {
          const code = String.fromCharCode(65 + at / 26, 65 + at % 26);
          const [known] = Intl.getCanonicalLocales(`und-${code}`);
          if (names.of(code) && known === `und-${code}` && !NO_COUNTRIES.includes(code)) codes.push(code);
        }
      }
      const named = codes.map((code) => [code, names.of(code) || code]);
      named.sort((one, other) => one[1].localeCompare(other[1], this.language));
      const here = (this.getAttribute('country') || '').toUpperCase();
      const options = named.map(([value, text]) => make('option', { value, textContent: text, selected: value === here }));
      if (!codes.includes(here)) options.unshift(make('option', { value: '', textContent: '–', selected: true }));
      return options;
    }

    watch() {
      this.ended = new AbortController();
      const { signal } = this.ended;
      const begin = () => {
        this.started = true;
        this.soon(0);
      };
      if ('IntersectionObserver' in window) {
        this.seen = new IntersectionObserver((entries) => {
          if (!entries.some((each) => each.isIntersecting)) return;
          this.seen.disconnect();
          begin();
        }, { rootMargin: '200px' });
        this.seen.observe(this);
      } else begin();
      document.addEventListener('waybill:refresh', () => this.refresh(), { signal });
      if (this.hasAttribute('variant')) {
        // Themes change the hidden field of the chosen variant by script and tell of it in ways of their own.
        for (const name of ['change', 'input', 'click']) document.addEventListener(name, () => this.soon(), { signal });
      }
      if (this.hasAttribute('cart-url') && 'PerformanceObserver' in window) {
        this.traffic = new PerformanceObserver((list) => {
          if (list.getEntries().some((each) => /\/cart\/(add|change|update|clear)/.test(each.name))) this.refresh();
        });
        this.traffic.observe({ type: 'resource' });
      }
    }

    soon(ms = 250) {
      clearTimeout(this.timer);
      if (this.started) this.timer = setTimeout(() => this.ask(), ms);
    }

    /* What is in the cart or on the page: {lines, discount, currency}. */
    async goods() {
      const currency = this.getAttribute('currency') || undefined;
      if (this.hasAttribute('lines')) return { lines: JSON.parse(this.getAttribute('lines')), currency };
      if (this.hasAttribute('cart-url')) {
        const answer = await fetch(this.getAttribute('cart-url'), { headers: { accept: 'application/json' } });
        if (!answer.ok) throw new Error('cart');
        const cart = await answer.json();
        const amount = (hundredths) => (hundredths / 100).toFixed(2);
        return {
          lines: cart.items.map((item) => ({ variant_id: item.variant_id, sku: item.sku || undefined,
            quantity: item.quantity, unit_price: amount(item.original_price), grams: item.grams,
            requires_shipping: item.requires_shipping !== false })),
          discount: amount(cart.total_discount || 0),
          currency: cart.currency || currency,
        };
      }
      const form = [...document.querySelectorAll('form[action*="/cart/add"]')].find((each) => each.elements.id?.value);
      const variant = form?.elements.id.value || this.getAttribute('variant') || undefined;
      const quantity = Number(form?.elements.quantity?.value || this.getAttribute('quantity') || 1);
      const prices = JSON.parse(this.getAttribute('prices') || '{}');
      return { currency, lines: [{ variant_id: variant, sku: this.getAttribute('sku') || undefined,
        quantity: quantity > 0 ? Math.min(quantity, 10000) : 1,
        unit_price: prices[variant] || this.getAttribute('price') || undefined }] };
    }

    async ask() {
      let question;
      try {
        const goods = await this.goods();
        if (!goods.lines.length) return this.empty();
        question = JSON.stringify({ ...goods, locale: this.getAttribute('locale') || document.documentElement.lang || '',
          destination: this.country.value
            ? { country: this.country.value, postal_code: this.postal.value.trim() } : undefined });
      } catch {
        return this.message(this.say('later'));
      }
      if (question === this.asked) return undefined;
      this.asked = question;
      this.asking?.abort();
      const asking = this.asking = new AbortController();
      this.waiting();
      const answer = await this.send(question, asking.signal);
      if (asking.signal.aborted) return undefined;
      if (!answer) {
        this.asked = '';
        return this.message(this.say('later'));
      }
      return this.show(answer);
    }

    /* The answer; null where it does not come after two more tries. A buyer sees no fault. */
    async send(body, signal) {
      for (const wait of [1500, 4000, 0]) {
        let again = wait;
        try {
          const ends = AbortSignal.any ? AbortSignal.any([signal, AbortSignal.timeout(9000)]) : signal;
          const answer = await fetch(this.getAttribute('endpoint'), { method: 'POST', body, signal: ends,
            credentials: 'omit', headers: { 'content-type': 'application/json' } });
          if (answer.ok) return await answer.json();
          if (answer.status < 500 && answer.status !== 429) return null;
          const told = Number(answer.headers.get('retry-after'));
          if (told > 10) return null;
          again = wait && Math.max(wait, told * 1000);
        } catch { /* Offline, or too slow. */ }
        if (signal.aborted || !again) return null;
        await pause(again);
        if (signal.aborted) return null;
      }
      return null;
    }

    waiting() {
      this.out.setAttribute('aria-busy', 'true');
      this.out.replaceChildren(...[0, 1, 2].map(() => make('div', { className: 'wait' })));
      this.said.textContent = `${this.say('options')}…`;
    }

    empty() {
      this.asking?.abort();
      this.asked = '';
      this.out.replaceChildren();
      this.said.textContent = '';
    }

    message(text) {
      this.out.removeAttribute('aria-busy');
      this.out.removeAttribute('tabindex');
      this.out.replaceChildren(make('p', { textContent: text }));
      this.said.textContent = text;
    }

    show(answer) {
      const way = answer.progress;
      this.wayText.textContent = way ? way.text : '';
      this.bar.hidden = !way;
      if (way) {
        this.bar.setAttribute('aria-valuenow', way.percent);
        this.fill.style.inlineSize = `${way.percent}%`;
      }
      if (!answer.options.length) {
        this.message(answer.message);
        if (way) this.said.textContent = `${way.text}. ${answer.message}`;
      } else {
        const items = answer.options.map((each) => make('li', {},
          make('b', { textContent: each.name }), make('span', { textContent: each.text }),
          make('small', { textContent: each.when || each.description })));
        this.out.removeAttribute('aria-busy');
        this.out.replaceChildren(make('ul', { role: 'list' }, ...items));
        if (this.out.scrollHeight > this.out.clientHeight) this.out.tabIndex = 0;
        else this.out.removeAttribute('tabindex');
        const [first] = answer.options;
        const said = `${this.say('options')}: ${answer.options.length}. ${first.name}: ${first.text}`;
        this.said.textContent = way ? `${said}. ${way.text}` : said;
      }
      this.dispatchEvent(new CustomEvent('waybill:estimate', { bubbles: true, detail: answer }));
    }
  }
  customElements.define('waybill-estimate', WaybillEstimate);
})();
