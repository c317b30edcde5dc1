//! Q.2931 and UNI 3.1/4.0: messages, and calls of both sides.
