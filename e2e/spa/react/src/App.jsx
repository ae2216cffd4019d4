import { lazy, Suspense, useEffect, useState } from 'react';
import { NavLink, Route, Routes, useParams } from 'react-router';
import logo from './logo.svg?no-inline';

const About = lazy(() => import('./About.jsx'));

function Home() {
  const [count, setCount] = useState(0);
  return (
    <section>
      <h1>Home</h1>
      <img src={logo} alt="React on rolemgr" width="96" height="96" />
      <button type="button" onClick={() => setCount((n) => n + 1)}>count is {count}</button>
    </section>
  );
}

function User() {
  const { id } = useParams();
  const [name, setName] = useState('...');
  useEffect(() => {
    fetch(`${import.meta.env.BASE_URL}users.json`)
      .then((response) => response.json())
      .then((users) => setName(users[id] ?? 'nobody'));
  }, [id]);
  return (
    <section>
      <h1>User {id}</h1>
      <p id="name">{name}</p>
    </section>
  );
}

export default function App() {
  return (
    <>
      <nav>
        <NavLink to="/">Home</NavLink>
        <NavLink to="/about">About</NavLink>
        <NavLink to="/users/7">User 7</NavLink>
      </nav>
      <Suspense fallback={<p>loading</p>}>
        <Routes>
          <Route path="/" element={<Home />} />
          <Route path="/about" element={<About />} />
          <Route path="/users/:id" element={<User />} />
          <Route path="*" element={<h1>Nothing here</h1>} />
        </Routes>
      </Suspense>
    </>
  );
}
