import { Component } from '@angular/core';

@Component({ template: '<h1>Nothing here</h1>' })
export class Nothing {}
