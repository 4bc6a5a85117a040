# Completion of millrace for bash: source <(millrace completion bash)
# The program itself says what may follow, names of connectors included; where it knows nothing, files are offered.
_millrace() {
  local IFS=$'\n' colons
  local -a words
  # bash splits words at ':' and '=' of COMP_WORDBREAKS; a URL or a name with a colon must stay one word.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    local cur cword
    _get_comp_words_by_ref -n := cur words cword
    words=("${words[@]:0:cword+1}")
  else
    words=("${COMP_WORDS[@]:0:COMP_CWORD+1}")
  fi
  COMPREPLY=($("${words[0]}" completion candidates "${words[@]:1}" 2>/dev/null))
  # What is offered replaces only the part behind the last colon.
  local last="${words[-1]}"
  if [[ "$last" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then
    colons="${last%"${last##*:}"}"
    COMPREPLY=("${COMPREPLY[@]#"$colons"}")
  fi
  local i
  for i in "${!COMPREPLY[@]}"; do
    COMPREPLY[i]=$(printf '%q' "${COMPREPLY[i]}")
  done
}
complete -o default -F _millrace millrace
