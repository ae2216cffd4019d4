export default function About() {
  return (
    <section>
      <h1>About</h1>
      <p>This page lies in a chunk of its own, which is fetched when somebody comes here.</p>
    </section>
  );
}
