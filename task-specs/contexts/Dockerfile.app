FROM busybox
COPY . /www
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
