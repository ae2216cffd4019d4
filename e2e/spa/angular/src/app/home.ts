import { Component, signal } from '@angular/core';

@Component({
  template: `
    <section>
      <h1>Home</h1>
      <img class="logo" src="favicon.svg" alt="Angular on rolemgr" width="96" height="96" />
      <button type="button" (click)="count.set(count() + 1)">count is {{ count() }}</button>
    </section>
  `,
})
export class Home {
  protected readonly count = signal(0);
}
