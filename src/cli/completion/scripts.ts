// What each shell is given once: it asks `failover __complete` at every Tab, so it never has to be made anew.

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** Bash takes words apart at `=` and `:`, and replaces only the piece under the cursor. */
const BASH = String.raw`# Completion of failover for bash: source this, or put it where bash-completion looks.
_failover() {
  local -a words=() places=()
  local at=-1 i word joined=0 kind='' line prefix value
  COMPREPLY=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((at >= 0)) && [[ $word == [=:]* || joined -eq 1 ]]; then
      words[at]+=$word
    else
      at=$((at + 1))
      words[at]=$word
      places[at]=$i
    fi
    joined=0
    [[ $word == [=:]* ]] && [[ $word == [=:] || $word == :* ]] && joined=1
  done
  word=\${COMP_WORDS[COMP_CWORD]}
  [[ $word == [=:] ]] && word=''
  prefix=\${words[at]%"$word"}
  while IFS= read -r line; do
    if [[ -z $kind ]]; then
      kind=$line
      continue
    fi
    value=\${line%%$'\t'*}
    COMPREPLY+=("\${value#"$prefix"}")
  done < <("\${COMP_WORDS[0]}" __complete bash -- "\${words[@]}" 2>/dev/null)
  case $kind in
    files | directories) _failover_files "$kind" "$word" ;;
    command*)
      i=\${places[\${kind#command }]:-$COMP_CWORD}
      if declare -F _command_offset >/dev/null; then
        _command_offset "$i"
      elif ((i == COMP_CWORD)); then
        COMPREPLY=($(compgen -c -- "$word"))
      else
        _failover_files files "$word"
      fi
      ;;
  esac
}

_failover_files() {
  local line action=-f
  [[ $1 == directories ]] && action=-d
  compopt -o filenames 2>/dev/null
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(compgen "$action" -- "$2")
}

complete -F _failover failover
`;

const ZSH = String.raw`#compdef failover
# Completion of failover for zsh: put it as _failover into a directory of $fpath, or source it after compinit.
_failover() {
  local -a lines described
  local kind line word about
  lines=("\${(@f)$("\${(Q)words[1]}" __complete zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  kind=$lines[1]
  shift lines
  case $kind in
    words)
      for line in $lines; do
        word=\${line%%$'\t'*}
        about=\${line#*$'\t'}
        word=\${word//:/\\:}
        if [[ $line == *$'\t'* ]]; then described+=("$word:$about"); else described+=("$word"); fi
      done
      _describe -t failover failover described
      ;;
    files) compset -P '*='; _files ;;
    directories) compset -P '*='; _files -/ ;;
    command*)
      local at=$((\${kind#command } + 1))
      shift $at words
      ((CURRENT -= at))
      _normal
      ;;
  esac
}

if [[ $funcstack[1] == _failover ]]; then _failover "$@"; else compdef _failover failover; fi
`;

const FISH = String.raw`# Completion of failover for fish: put it into ~/.config/fish/completions/failover.fish
function __failover_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (commandline -ct)
    set -l lines (command $program __complete fish -- $words "$current" 2>/dev/null)
    set -l kind $lines[1]
    set -e lines[1]
    set -l prefix (string match -r -- '^--[^=]*=' "$current")
    set -l value (string replace -r -- '^--[^=]*=' '' "$current")
    switch "$kind"
        case words
            printf '%s\n' $lines
        case files
            for path in (__fish_complete_path "$value")
                printf '%s%s\n' "$prefix" $path
            end
        case directories
            for path in (__fish_complete_directories "$value")
                printf '%s%s\n' "$prefix" $path
            end
        case 'command*'
            set -l at (math (string replace 'command ' '' -- $kind) + 1)
            set -l rest $words "$current"
            complete -C (string join ' ' -- (string escape -- $rest[$at..-2]) "$current")
    end
end

complete -c failover -f -a '(__failover_complete)'
`;

/** The script of a shell. */
export function completionScript(shell: Shell): string {
  // `${` is of the shells here.
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell].replaceAll('\\${', '${');
}
