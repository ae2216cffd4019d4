import { httpResource } from '@angular/common/http';
import { Component, computed, input } from '@angular/core';

@Component({
  template: `
    <section>
      <h1>User {{ id() }}</h1>
      <p id="name">{{ name() }}</p>
    </section>
  `,
})
export class User {
  readonly id = input.required<string>();
  private readonly users = httpResource<Record<string, string>>(() => 'users.json');
  protected readonly name = computed(() => (this.users.hasValue() ? (this.users.value()[this.id()] ?? 'nobody') : '...'));
}
