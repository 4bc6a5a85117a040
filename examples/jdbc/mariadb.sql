-- What the examples read and where they write, in MariaDB or MySQL: mariadb -uroot -p < mariadb.sql
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE warehouse CHARACTER SET utf8mb4;
CREATE USER mover@'%' IDENTIFIED BY 'mover-secret', mover@localhost IDENTIFIED BY 'mover-secret';
GRANT SELECT ON shop.* TO mover@'%', mover@localhost;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON warehouse.* TO mover@'%', mover@localhost;

USE shop;
CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, email VARCHAR(80), created_at DATETIME NOT NULL DEFAULT NOW());
INSERT INTO users (name, email) VALUES ('Ann', 'ann@example.com'), ('Bjørn', NULL);

CREATE TABLE order_lines (order_id INT, line_no INT, product VARCHAR(40) NOT NULL, quantity INT NOT NULL,
  changed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), PRIMARY KEY (order_id, line_no), KEY (changed));
INSERT INTO order_lines (order_id, line_no, product, quantity) VALUES (1, 1, 'apple', 3), (1, 2, 'pear', 1), (2, 1, 'apple', 7);

CREATE TABLE products (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, price DECIMAL(10,2), active BOOL NOT NULL DEFAULT 1, photo BLOB);
INSERT INTO products (name, price, photo) VALUES ('apple', 0.45, x'00ff'), ('pear', 12.00, NULL);

CREATE TABLE payments (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL, amount DECIMAL(10,2) NOT NULL);
INSERT INTO payments (user_id, amount) VALUES (1, 9.90), (2, 0.45), (1, 100);
