<?php
// The front controller of a small site: every URL that is no file comes here, and the path that the client wrote decides.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$routes = [
    '/' => fn () => print("home of $_SERVER[SCRIPT_NAME]"),
    '/users/7' => fn () => print(json_encode([
        'script' => $_SERVER['SCRIPT_NAME'], 'uri' => $_SERVER['REQUEST_URI'], 'query' => $_GET, 'self' => $_SERVER['PHP_SELF'],
        'https' => $_SERVER['HTTPS'], 'original' => $_SERVER['HTTP_X_ORIGINAL_URL'] ?? '', 'root' => $_SERVER['DOCUMENT_ROOT'],
        'proxy' => getenv('HTTP_PROXY'), 'method' => $_SERVER['REQUEST_METHOD'],
    ])),
    '/index.php/a/b' => fn () => print("info $_SERVER[PATH_INFO] of $_SERVER[SCRIPT_NAME]"),
    '/visits' => function () {
        session_start();
        $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
        echo "visit $_SESSION[n]";
    },
    '/upload' => fn () => print($_FILES['file']['name'] . ' ' . md5_file($_FILES['file']['tmp_name']) . ' ' . $_POST['title']),
    '/raw' => fn () => print(strlen($b = file_get_contents('php://input')) . ' ' . md5($b) . ' ' . $_SERVER['CONTENT_LENGTH']),
    '/stream' => function () {
        header('Content-Type: text/event-stream');
        while (ob_get_level() > 0) {
            ob_end_flush();
        }
        echo "data: 1\n\n";
        flush();
        while (!file_exists($_GET['until'])) {
            usleep(10000);
            clearstatcache();
        }
        echo "data: 2\n\n";
    },
    '/wait' => function () {
        touch($_GET['touch']);
        sleep(1000);
    },
    '/gone' => function () {
        http_response_code(410);
        header('X-Why: moved on');
        echo 'gone';
    },
    '/leave' => fn () => header('Location: /users/7?from=leave'),
    '/warning' => fn () => error_log('the script complains') . print('fine'),
    '/fatal' => fn () => no_such_function(),
    '/cookies' => function () {
        setcookie('a', '1');
        setcookie('b', '2');
        echo 'two';
    },
    '/pid' => fn () => print(getmypid()),
    '/die' => fn () => posix_or_kill(),
    '/big' => fn () => print(str_repeat('0123456789abcdef', 1 << 18)),
];

function posix_or_kill() {
    exec('kill -9 ' . getmypid());
}

if (isset($routes[$path])) {
    $routes[$path]();
} else {
    http_response_code(404);
    echo "no route $path";
}
