FROM python:3.13-slim

# The server refuses to run as root, and so should we.
RUN useradd --create-home --uid 10001 hde

WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY engine ./engine
COPY connectors ./connectors
COPY mappings ./mappings
COPY migrations ./migrations
RUN pip install --no-cache-dir . && install -d -o hde -g hde -m 0700 /home/hde/data

USER hde
WORKDIR /home/hde
ENV HDE_HOME=/home/hde/data
ENTRYPOINT ["hde"]
CMD ["--help"]
