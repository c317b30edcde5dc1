//! A switch: ports, routes, admission, queues.
