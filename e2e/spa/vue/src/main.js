import { createApp } from 'vue';
import { createRouter, createWebHistory } from 'vue-router';
import './style.css';
import App from './App.vue';
import Home from './views/Home.vue';
import Nothing from './views/Nothing.vue';
import User from './views/User.vue';

const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: '/', component: Home },
    { path: '/about', component: () => import('./views/About.vue') },
    { path: '/users/:id', component: User, props: true },
    { path: '/:rest(.*)*', component: Nothing },
  ],
});

createApp(App).use(router).mount('#app');
