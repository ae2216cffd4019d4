import { Routes } from '@angular/router';
import { Home } from './home';
import { Nothing } from './nothing';
import { User } from './user';

export const routes: Routes = [
  { path: '', pathMatch: 'full', component: Home },
  { path: 'about', loadComponent: () => import('./about').then((m) => m.About) },
  { path: 'users/:id', component: User },
  { path: '**', component: Nothing },
];
