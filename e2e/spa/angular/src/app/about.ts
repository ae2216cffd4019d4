import { Component } from '@angular/core';

@Component({
  template: `
    <section>
      <h1>About</h1>
      <p>This page lies in a chunk of its own, which is fetched when somebody comes here.</p>
    </section>
  `,
})
export class About {}
